package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJournal(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newJournal(&out, slog.LevelInfo, func(w io.Writer, o *slog.HandlerOptions) slog.Handler {
		return slog.NewTextHandler(w, o)
	})).With("component", "media").WithGroup("line")
	log.Debug("below the level")
	log.Info("started", "time", "kept in a group")
	log.Warn("late", "delay_seconds", 1.6093544400000002)
	log.Error("gone")
	want := `<6>level=INFO msg=started component=media line.time="kept in a group"
<4>level=WARN msg=late component=media line.delay_seconds=1.609
<3>level=ERROR msg=gone component=media
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

func TestToJournal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
	for _, tt := range []struct {
		name, stream string
		w            io.Writer
		want         bool
	}{
		{"the stream itself", name, f, true},
		{"stderr was redirected", "1" + name, f, false},
		{"no journal", "", f, false},
		{"no file", name, io.Discard, false},
	} {
		t.Setenv("JOURNAL_STREAM", tt.stream)
		if got := toJournal(tt.w); got != tt.want {
			t.Errorf("%s: toJournal = %t, want %t", tt.name, got, tt.want)
		}
	}
}
