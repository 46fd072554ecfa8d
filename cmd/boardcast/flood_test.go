package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// book is a buffer for a log that is read while it is written to.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// lines are the lines so far, without their times.
func (b *book) lines() []string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for line := range strings.Lines(b.b.String()) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all = append(all, rest)
	}
	return all
}

func newBook() (*book, *slog.Logger) {
	b := &book{}
	return b, slog.New(newFlood(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})))
}

func TestFloodIsSummarised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, log := newBook()
		media := log.With("component", "media")
		for i := range 10_000 { // ten seconds of a thousand lines each
			media.Warn("peer is not served", "peer", i)
			<-time.After(time.Millisecond)
		}
		<-time.After(5 * time.Second)
		got := out.lines()
		if len(got) < lineBurst+9 || len(got) > lineBurst+11 {
			t.Fatalf("%d lines of 10,000", len(got))
		}
		written, last := 0, got[len(got)-1]
		for _, line := range got {
			n := 1
			if _, count, found := strings.Cut(line, "repeated="); found {
				if _, err := fmt.Sscan(count, &n); err != nil {
					t.Fatal(err)
				}
			}
			written += n
		}
		if written != 10_000 {
			t.Errorf("%d lines are accounted for, want 10,000", written)
		}
		if !strings.HasPrefix(last, `level=WARN msg="peer is not served" component=media peer=9999 repeated=`) {
			t.Errorf("the last line is %q", last)
		}
	})
}

// What is no flood is written as it comes, also beside one; so is a kind's next line when its flood is over.
func TestFloodTouchesNoOtherLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, log := newBook()
		for range 1000 {
			log.Debug("request")
		}
		log.Info("request")
		log.WithGroup("line").Debug("started", "name", "capture")
		<-time.After(2 * lineBurst * lineEvery)
		log.Debug("request")
		got := out.lines()
		want := append([]string{}, strings.Split(strings.Repeat("level=DEBUG msg=request\n", lineBurst), "\n")[:lineBurst]...)
		want = append(want, "level=INFO msg=request", "level=DEBUG msg=started line.name=capture",
			fmt.Sprintf("level=DEBUG msg=request repeated=%d", 1000-lineBurst), "level=DEBUG msg=request")
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Messages that all differ are one kind when there are too many of them, until the others are forgotten.
func TestFloodOfKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, log := newBook()
		for i := range 10 * maxKinds {
			log.Info(fmt.Sprintf("kind %d", i))
		}
		<-time.After(2 * lineBurst * lineEvery)
		if n, most := len(out.lines()), maxKinds+lineBurst+1; n > most {
			t.Errorf("%d lines, want %d at most", n, most)
		}
		for range 2 {
			log.Info("a new one")
		}
		if got := out.lines(); got[len(got)-1] != `level=INFO msg="a new one"` || got[len(got)-2] != got[len(got)-1] {
			t.Errorf("the end is %q", got[len(got)-2:])
		}
	})
}
