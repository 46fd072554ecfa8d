package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// priorities are syslog's for our levels, as systemd's journal takes them before a line: `journalctl -p err` finds what
// is an error. The lowest comes first.
var priorities = []struct {
	from   slog.Level
	prefix string
}{
	{slog.LevelDebug, "<7>"}, {slog.LevelInfo, "<6>"}, {slog.LevelWarn, "<4>"}, {slog.LevelError, "<3>"},
}

// journal writes each record through the handler of its priority.
type journal []slog.Handler

// newJournal makes a journal whose handlers are made by build, each on a writer that puts the priority before a record.
// build's options leave the time out: the journal notes it itself.
func newJournal(w io.Writer, level slog.Leveler, build func(io.Writer, *slog.HandlerOptions) slog.Handler) journal {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return roundNumber(groups, a)
	}}
	j := make(journal, len(priorities))
	for i, p := range priorities {
		j[i] = build(prefixed{w, p.prefix}, opts)
	}
	return j
}

// Enabled implements [slog.Handler].
func (j journal) Enabled(ctx context.Context, level slog.Level) bool { return j[0].Enabled(ctx, level) }

// Handle implements [slog.Handler].
func (j journal) Handle(ctx context.Context, r slog.Record) error {
	at := 0
	for i, p := range priorities {
		if r.Level >= p.from {
			at = i
		}
	}
	return j[at].Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return j.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements [slog.Handler].
func (j journal) WithGroup(name string) slog.Handler {
	return j.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (j journal) each(change func(slog.Handler) slog.Handler) journal {
	out := make(journal, len(j))
	for i, h := range j {
		out[i] = change(h)
	}
	return out
}

// prefixed writes what it is given, a record, in one piece with its prefix.
type prefixed struct {
	io.Writer
	prefix string
}

// Write implements [io.Writer].
func (p prefixed) Write(record []byte) (int, error) {
	n, err := p.Writer.Write(append([]byte(p.prefix), record...))
	return max(0, n-len(p.prefix)), err
}

// toJournal says that w is the stream that systemd's journal reads (JOURNAL_STREAM names it by device and inode).
func toJournal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
