//go:build lab

package lab

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// What must be so of a soak.
const (
	soakGap      = time.Second      // most that the steady viewer is without a frame while all is well
	soakSettle   = 30 * time.Second // until all is well again after a turn: a slow viewer is tried again after 10 s, then after 20
	soakSlope    = 1.0              // MB of resident memory an hour, beyond what chance explains: 5 kB a guest
	soakPlayed   = 0.9              // of the guests that stay play
	soakLevels   = 8                // minutes that are needed for a slope
	soakFds      = 2                // more than at the beginning
	soakThreads  = 8                // the same: GLib keeps some for the next task
	soakRoutines = 4                // the same
)

// links are how the guest's packets go, by the queueing discipline of its device; "" is what the kernel has by itself.
var links = map[string]string{
	"":      "",
	"rate":  "tbf rate 300kbit burst 4kb latency 400ms",
	"loss":  "netem loss 2%",
	"delay": "netem delay 40ms 10ms",
}

// soakTurn is how things are for a while: the zero value is well.
type soakTurn struct {
	link      string // a key of links
	unplugged bool   // the camera is
}

// soakTurns follow each other, again and again, each for so many of the whole's parts.
var soakTurns = []struct {
	parts int
	soakTurn
}{
	{12, soakTurn{}},
	{7, soakTurn{link: "rate"}},
	{11, soakTurn{}},
	{7, soakTurn{link: "loss"}},
	{6, soakTurn{}},
	{6, soakTurn{link: "delay"}},
	{8, soakTurn{}},
	{3, soakTurn{unplugged: true}},
}

const (
	soakKinds = 5 // that differ
	soakParts = 60
	soakRound = 5 * time.Minute // of all turns
)

// turnAt is the turn at a time of a soak, in which all of them come once at least.
func turnAt(at, length time.Duration) soakTurn {
	round := min(soakRound, length)
	part := int(at % round * soakParts / round)
	for _, t := range soakTurns {
		if part -= t.parts; part < 0 {
			return t.soakTurn
		}
	}
	return soakTurn{}
}

// held is what the program holds.
type held struct{ rss, fds, threads, goroutines int } // rss in kB

// like says whether it is as much, but for the memory.
func (h held) like(other held) bool {
	h.rss = other.rss
	return h == other
}

func (h held) String() string {
	return fmt.Sprintf("%.1f MB, %d descriptors, %d threads, %d goroutines", float64(h.rss)/1024, h.fds, h.threads, h.goroutines)
}

// soakRow is what was seen in the time from one look to the next.
type soakRow struct {
	at, took time.Duration // of the look since the beginning, since the last look
	held
	viewers       int // by the program's count
	frames, bytes int // that the steady viewer got
	gap           time.Duration
	lag           time.Duration // how late a timer was at most, the viewer's or the guest's
	turn          soakTurn
	gets          string // what the program gave the steady viewer
}

// soakHeader names the columns of a row.
const soakHeader = "#s\ttook_s\trss_mb\tdescriptors\tthreads\tgoroutines\tviewers\tframes\tkbit_s\tgap_ms\ttimer_late_ms\tlink\tcamera\tgets"

func (r soakRow) String() string {
	link, camera := "free", "there"
	if r.turn.link != "" {
		link = r.turn.link
	}
	if r.turn.unplugged {
		camera = "unplugged"
	}
	return fmt.Sprintf("%.1f\t%.2f\t%.2f\t%d\t%d\t%d\t%d\t%d\t%.0f\t%d\t%d\t%s\t%s\t%s", r.at.Seconds(), r.took.Seconds(), float64(r.rss)/1024, r.fds, r.threads,
		r.goroutines, r.viewers, r.frames, float64(r.bytes)*8/1000/r.took.Seconds(), r.gap.Milliseconds(), r.lag.Milliseconds(), link, camera, r.gets)
}

// soakRecord is all that was seen.
type soakRecord struct {
	first, last         held // with the steady viewer alone, before and after
	rows                []soakRow
	came, asked, played int // guests; of them asked whether they play; of those that do
}

func (s soakRecord) String() string {
	slope, doubt := s.slope()
	gap := s.calmest()
	return fmt.Sprintf("%d looks, %d guests, %d of %d that stayed played; first %v; last %v; resident memory %+.2f MB/h, +- %.2f; "+
		"longest gap %v while all was well, at %v", len(s.rows), s.came, s.played, s.asked, s.first, s.last, slope, doubt, gap.gap, gap.at.Round(time.Second))
}

// calmest is the row with the longest gap among those of times when all was well, and had been for long enough.
func (s soakRecord) calmest() (worst soakRow) {
	trouble := -time.Hour
	for _, r := range s.rows {
		if r.turn != (soakTurn{}) {
			trouble = r.at
		}
		if began := r.at - r.took; began-r.gap >= trouble+soakSettle && r.gap-5*r.lag > worst.gap-5*worst.lag {
			worst = r
		}
	}
	return worst
}

// slope is by how many MB an hour the memory grows after the first quarter, by a straight line through each minute's mean, and
// two standard errors of that. NaN if there are too few.
func (s soakRecord) slope() (slope, doubt float64) {
	if len(s.rows) == 0 {
		return math.NaN(), math.NaN()
	}
	minutes := map[int][]float64{}
	for _, r := range s.rows {
		if r.at > s.rows[len(s.rows)-1].at/4 {
			minutes[int(r.at.Minutes())] = append(minutes[int(r.at.Minutes())], float64(r.rss)/1024)
		}
	}
	if len(minutes) < soakLevels {
		return math.NaN(), math.NaN()
	}
	var n, x, y, xx, xy, yy float64
	for minute, values := range minutes {
		var sum float64
		for _, v := range values {
			sum += v
		}
		hour, mean := float64(minute)/60, sum/float64(len(values))
		n, x, y, xx, xy, yy = n+1, x+hour, y+mean, xx+hour*hour, xy+hour*mean, yy+mean*mean
	}
	sxx, sxy, syy := xx-x*x/n, xy-x*y/n, yy-y*y/n
	slope = sxy / sxx
	return slope, 2 * math.Sqrt(max(0, syy-slope*sxy)/(n-2)/sxx)
}

// faults are what is not as it must be.
func (s soakRecord) faults() []string {
	var out []string
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if s.last.fds > s.first.fds+soakFds || s.last.threads > s.first.threads+soakThreads || s.last.goroutines > s.first.goroutines+soakRoutines {
		fault("left at the end: %v; at the beginning %v", s.last, s.first)
	}
	if slope, doubt := s.slope(); slope-doubt > soakSlope {
		fault("resident memory grows by %.2f MB/h, +- %.2f, want at most %.1f", slope, doubt, soakSlope)
	}
	if r := s.calmest(); r.gap > soakGap+5*r.lag {
		fault("the steady viewer was without a frame for %v at %v with nothing the matter, want at most %v", r.gap, r.at.Round(time.Second), soakGap)
	}
	if float64(s.played) < soakPlayed*float64(s.asked) || s.asked == 0 {
		fault("%d of the %d guests that stayed played, want %.0f %%", s.played, s.asked, soakPlayed*100)
	}
	turns := map[soakTurn]bool{}
	for _, r := range s.rows {
		turns[r.turn] = true
	}
	if len(turns) != soakKinds {
		fault("seen under %d conditions, want %d: all well, each bad link, no camera", len(turns), soakKinds)
	}
	return out
}

// TestSoakFaults has each fault found, and none where there is none.
func TestSoakFaults(t *testing.T) {
	well := func() soakRecord {
		s := soakRecord{first: held{80_000, 100, 50, 60}, last: held{81_000, 102, 58, 64}, came: 30, asked: 10, played: 9}
		for i := range 720 {
			at := time.Duration(i+1) * soakEvery
			r := soakRow{at: at, took: soakEvery, held: held{rss: 80_000 + i%100*30}, gap: 100 * time.Millisecond, turn: turnAt(at-soakEvery, time.Hour)}
			if r.turn != (soakTurn{}) {
				r.gap = 2 * time.Second
			}
			s.rows = append(s.rows, r)
		}
		return s
	}
	tests := []struct {
		name  string
		spoil func(s *soakRecord)
		want  int
	}{
		{"none", func(*soakRecord) {}, 0},
		{"a descriptor", func(s *soakRecord) { s.last.fds++ }, 1},
		{"a thread", func(s *soakRecord) { s.last.threads++ }, 1},
		{"a goroutine", func(s *soakRecord) { s.last.goroutines++ }, 1},
		{"memory", func(s *soakRecord) {
			for i := range s.rows {
				s.rows[i].rss += 3 * 1024 * i / len(s.rows)
			}
		}, 1},
		{"memory in the first quarter only", func(s *soakRecord) {
			for i := range s.rows {
				s.rows[i].rss += 3 * 1024 * min(i, len(s.rows)/4) / len(s.rows)
			}
		}, 0},
		{"a gap", func(s *soakRecord) { s.rows[5].gap = soakGap + time.Millisecond }, 1},
		{"a gap with a busy machine's timers", func(s *soakRecord) { s.rows[5].gap, s.rows[5].lag = 1400*time.Millisecond, 100*time.Millisecond }, 0},
		{"guests that do not play", func(s *soakRecord) { s.played-- }, 1},
		{"a camera that stays", func(s *soakRecord) {
			for i := range s.rows {
				s.rows[i].turn.unplugged, s.rows[i].gap = false, 0
			}
		}, 1},
		{"no guest", func(s *soakRecord) { s.asked, s.played = 0, 0 }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := well()
			tt.spoil(&s)
			if got := s.faults(); len(got) != tt.want {
				t.Errorf("faults %q, want %d", got, tt.want)
			}
		})
	}
}

// TestSoakTurns: each turn comes in any soak, and the parts make a whole.
func TestSoakTurns(t *testing.T) {
	for _, length := range []time.Duration{2 * time.Minute, 4 * time.Minute, time.Hour} {
		var seen []soakTurn
		for at := time.Duration(0); at < length; at += time.Second {
			if turn := turnAt(at, length); !slices.Contains(seen, turn) {
				seen = append(seen, turn)
			}
		}
		if len(seen) != soakKinds {
			t.Errorf("a soak of %v has the turns %v, want well, three bad links and no camera", length, seen)
		}
	}
	parts := 0
	for _, turn := range soakTurns {
		parts += turn.parts
	}
	if parts != soakParts {
		t.Errorf("the turns have %d parts, want %d", parts, soakParts)
	}
}
