package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"boardcast/pipeline/live"
	"boardcast/pipeline/produce"
)

// looks is how many times the producers are looked at within the watchdog's time. Three, so that the service is not ended
// when one look is late, or when a camera takes the time of one look to start.
const looks = 3

// keepManagerInformed tells the service manager, if one has started us (NOTIFY_SOCKET), that we are ready, and feeds its
// watchdog until ctx ends. say words the status for it. It always returns nil: a stream is not given up because nobody takes
// news of it.
func keepManagerInformed(ctx context.Context, all []stream, say func(live.Status) string, log *slog.Logger) error {
	tell := func(news string) {
		if _, err := daemon.SdNotify(false, news); err != nil {
			log.Warn("tell the service manager", "error", err)
		}
	}
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("read the watchdog's time", "error", err)
	}
	for _, s := range all {
		if !awaitReady(ctx, s.ready, limit/looks, tell) {
			return nil
		}
	}
	tell(daemon.SdNotifyReady)
	logReloadDone(log)
	if limit > 0 {
		feedWatchdog(ctx, limit/looks, func() live.Status { return together(all) }, say, tell, log)
	}
	return nil
}

// longestPreparation is how long a start may take with its watchdog fed: on a slow board every encoder is tried. After a
// reload the watchdog is on from the beginning.
const longestPreparation = 3 * time.Minute

// awaitReady waits for ready, and feeds the watchdog meanwhile unless every is zero. It returns false when ctx ended first.
func awaitReady(ctx context.Context, ready <-chan struct{}, every time.Duration, tell func(string)) bool {
	var tick <-chan time.Time
	if every > 0 {
		ticks := time.NewTicker(every)
		defer ticks.Stop()
		tick = ticks.C
	}
	began := time.Now()
	for {
		select {
		case <-ready:
			return true
		case <-ctx.Done():
			return false
		case <-tick:
			if time.Since(began) < longestPreparation {
				tell(daemon.SdNotifyWatchdog)
			}
		}
	}
}

// feedWatchdog looks at the producers again and again, and feeds the watchdog while no producer has stalled. It blocks
// until ctx ends. When status itself does not return, the watchdog is not fed either, and ends the program.
func feedWatchdog(
	ctx context.Context, every time.Duration, status func() live.Status, say func(live.Status) string, tell func(string), log *slog.Logger,
) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	before := status()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		now := status()
		if names := stalled(before, now); len(names) > 0 {
			log.Error("no frames; the watchdog is not fed", "producers", strings.Join(names, ","), "duration_seconds", every.Seconds())
			tell("STATUS=no frames from " + strings.Join(names, ", "))
		} else {
			tell(daemon.SdNotifyWatchdog + "\nSTATUS=" + say(now))
		}
		before = now
	}
}

// stalled names the producers that made no frame from one look to the next although they were used at both looks. Two kinds
// of producers are silent for a reason, and a restart of the program would not help them: those that nobody uses, and those
// that have failed and wait to be tried again (the camera is unplugged, say). A producer that is stuck is named even without
// viewers: only a restart of the program ends it.
func stalled(before, now live.Status) []string {
	then := map[string]produce.Status{}
	for _, l := range before.Producers {
		then[l.Name] = l
	}
	var names []string
	for _, l := range now.Producers {
		was, known := then[l.Name]
		expected := known && (was.Users > 0 && l.Users > 0 && !was.Waiting && !l.Waiting || l.Stuck)
		if expected && l.Frames == was.Frames {
			names = append(names, l.Name)
		}
	}
	return names
}

// summary words the state for `systemctl status`.
func summary(s live.Status) string {
	var waiting []string
	placeholder := false
	for _, l := range s.Producers {
		if l.Waiting && l.Users > 0 {
			waiting = append(waiting, l.Name)
		}
		placeholder = placeholder || l.Placeholder
	}
	switch {
	case placeholder:
		return "the camera is gone; showing a placeholder"
	case len(waiting) > 0:
		return "trying again: " + strings.Join(waiting, ", ")
	case len(s.Viewers) == 0:
		return "nobody watches"
	default:
		return "streaming"
	}
}
