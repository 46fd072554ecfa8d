package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/pipeline/live"
	"boardcast/pipeline/produce"
)

func TestStalled(t *testing.T) {
	line := func(name string, users int64, frames uint64, waiting bool) produce.Status {
		return produce.Status{Name: name, Users: users, Frames: frames, Waiting: waiting}
	}
	tests := []struct {
		name        string
		before, now []produce.Status
		want        []string
	}{
		{"nothing runs", nil, nil, nil},
		{"frames flow", []produce.Status{line("x264enc", 1, 10, false)}, []produce.Status{line("x264enc", 1, 11, false)}, nil},
		{"nobody watches", []produce.Status{line("x264enc", 0, 10, false)}, []produce.Status{line("x264enc", 0, 10, false)}, nil},
		{"the last viewer has left", []produce.Status{line("x264enc", 1, 10, false)}, []produce.Status{line("x264enc", 0, 10, false)}, nil},
		{"the first viewer has just come", []produce.Status{line("x264enc", 0, 10, false)}, []produce.Status{line("x264enc", 1, 10, false)}, nil},
		{"the camera is away", []produce.Status{line("capture", 1, 10, true)}, []produce.Status{line("capture", 1, 10, true)}, nil},
		{"the camera has just gone", []produce.Status{line("capture", 1, 10, false)}, []produce.Status{line("capture", 1, 10, true)}, nil},
		{"the camera has just come back", []produce.Status{line("capture", 1, 10, true)}, []produce.Status{line("capture", 1, 10, false)}, nil},
		{"a line that was not there before", nil, []produce.Status{line("capture", 1, 0, false)}, nil},
		{
			"an encoder hangs while the camera and the microphone go on",
			[]produce.Status{line("x264enc", 2, 10, false), line("microphone", 2, 10, false), line("capture", 1, 10, false)},
			[]produce.Status{line("x264enc", 2, 10, false), line("microphone", 2, 60, false), line("capture", 1, 40, false)},
			[]string{"x264enc"},
		},
		{
			"everything hangs",
			[]produce.Status{line("x264enc", 1, 10, false), line("capture", 1, 10, false)},
			[]produce.Status{line("x264enc", 1, 10, false), line("capture", 1, 10, false)},
			[]string{"x264enc", "capture"},
		},
		{
			"what hangs, and its viewer has left",
			[]produce.Status{line("capture", 1, 10, false)},
			[]produce.Status{{Name: "capture", Frames: 10, Stuck: true}},
			[]string{"capture"},
		},
		{
			"what hung, and goes on",
			[]produce.Status{line("capture", 1, 10, false)},
			[]produce.Status{{Name: "capture", Users: 1, Frames: 20}},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := stalled(live.Status{Producers: tt.before}, live.Status{Producers: tt.now})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("stalled (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	watched := []live.ViewerStatus{{}}
	tests := []struct {
		status live.Status
		want   string
	}{
		{live.Status{}, "nobody watches"},
		{live.Status{Viewers: watched}, "streaming"},
		{live.Status{Viewers: watched, Producers: []produce.Status{{Name: "capture", Users: 1, Waiting: true}}}, "trying again: capture"},
		{live.Status{Producers: []produce.Status{{Name: "capture", Waiting: true}}}, "nobody watches"},
	}
	for _, tt := range tests {
		if got := summary(tt.status); got != tt.want {
			t.Errorf("summary(%+v) = %q, want %q", tt.status, got, tt.want)
		}
	}
}

// TestWatchdogStarvesWhenFramesStop has frames for a minute, none for a minute, then frames again for most of one.
func TestWatchdogStarvesWhenFramesStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 170*time.Second)
		defer cancel()
		start := time.Now()
		status := func() live.Status {
			frames := uint64(time.Since(start).Seconds())
			if frames >= 60 {
				frames = max(60, frames-60)
			}
			return live.Status{Producers: []produce.Status{{Name: "capture", Users: 1, Frames: frames}}}
		}
		var fed []int // minutes in which it was fed
		complained := 0
		feedWatchdog(ctx, 20*time.Second, status, summary, func(news string) {
			switch {
			case strings.HasPrefix(news, "WATCHDOG=1\n"):
				fed = append(fed, int((time.Since(start) - time.Second).Minutes()))
			case news == "STATUS=no frames from capture":
				complained++
			default:
				t.Errorf("told %q", news)
			}
		}, slog.New(slog.DiscardHandler))
		if diff := cmp.Diff([]int{0, 0, 0, 2, 2}, fed); diff != "" || complained != 3 {
			t.Errorf("complained %d times, want 3; fed in minutes (-want +got):\n%s", complained, diff)
		}
	})
}
