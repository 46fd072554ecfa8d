package main

import (
	"log/slog"

	"boardcast/configs"
	"boardcast/internal/doctor"
)

// threadsFree is how many more threads the program may start now, by the nearest limit; false where none is known.
func threadsFree() (free int, known bool) {
	room, known := doctor.Threads(root())
	return room.Free, known
}

// warnOfThreads tells at the start that there is no room for as many viewers as are let in.
func warnOfThreads(cfg *configs.Config, log *slog.Logger) {
	room, known := doctor.Threads(root())
	if most := room.Viewers(); known && most < cfg.Viewers.Max {
		log.Warn("viewers.max can't be served: too few threads may be started; `boardcast doctor` says what to do",
			"viewers_max", cfg.Viewers.Max, "viewers", most, "threads", room.Free, "limit", room.Limit)
	}
}
