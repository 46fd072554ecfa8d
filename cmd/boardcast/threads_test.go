package main

import (
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"boardcast/configs"
	"boardcast/internal/doctor"
)

func TestThreads(t *testing.T) {
	before := machine
	t.Cleanup(func() { machine = before })
	for _, tt := range []struct {
		name, most string
		free       int
		known      bool
		warning    string // a part of it; "" for none
	}{
		{"plenty", "2048", 2036, true, ""},
		{"just enough", "228", 216, true, ""},
		{"too few", "227", 215, true, "viewers_max=16 viewers=15 threads=215"},
		{"none known", "max", 0, false, ""},
	} {
		machine.Root = fstest.MapFS{
			"proc/self/cgroup":             {Data: []byte("0::/a\n")},
			"sys/fs/cgroup/a/pids.max":     {Data: []byte(tt.most + "\n")},
			"sys/fs/cgroup/a/pids.current": {Data: []byte("12\n")},
		}
		if free, known := threadsFree(); known != tt.known || known && free != tt.free {
			t.Errorf("%s: %d free, %v; want %d, %v", tt.name, free, known, tt.free, tt.known)
		}
		var out strings.Builder
		warnOfThreads(&configs.Config{Viewers: configs.Viewers{Max: 16}}, slog.New(slog.NewTextHandler(&out, nil)))
		if got := out.String(); (got != "") != (tt.warning != "") || !strings.Contains(got, tt.warning) {
			t.Errorf("%s: log %q, want %q in it", tt.name, got, tt.warning)
		}
	}
}

// The service may have far more threads than its default number of viewers takes, and is back at once whatever ends it.
func TestServiceHasRoom(t *testing.T) {
	unit, err := os.ReadFile("../../internal/packaging/files/boardcast.service")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Load(configs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for line := range strings.Lines(string(unit)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			set[name] = value
		}
	}
	tasks, err := strconv.Atoi(set["TasksMax"])
	if err != nil {
		t.Fatal(err)
	}
	if most := (doctor.ThreadRoom{Free: tasks}).Viewers(); most < 4*cfg.Viewers.Max {
		t.Errorf("TasksMax=%d is enough for %d viewers, and viewers.max is %d", tasks, most, cfg.Viewers.Max)
	}
	pause, err := time.ParseDuration(set["RestartSec"])
	if err != nil || pause > time.Second || set["Restart"] != "always" || set["StartLimitIntervalSec"] != "0" {
		t.Errorf("it is started again by Restart=%s RestartSec=%s StartLimitIntervalSec=%s",
			set["Restart"], set["RestartSec"], set["StartLimitIntervalSec"])
	}
}
