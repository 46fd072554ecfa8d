package main

import (
	"log/slog"

	"boardcast/configs"
	"boardcast/internal/doctor"
)

// threadsFree is how many more threads the program may start now, by the lowest limit. known is false where no limit is known.
func threadsFree() (free int, known bool) {
	room, known := doctor.Threads(root())
	return room.Free, known
}

// warnOfThreads logs at the start that the threads do not suffice for as many viewers as the settings let in.
func warnOfThreads(cfg *configs.Config, log *slog.Logger) {
	room, known := doctor.Threads(root())
	if most := room.Viewers(); known && most < cfg.Viewers.Max {
		log.Warn("viewers.max can't be served: too few threads may be started; `boardcast doctor` says what to do",
			"viewers_max", cfg.Viewers.Max, "viewers", most, "threads", room.Free, "limit", room.Limit)
	}
}
