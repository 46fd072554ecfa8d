//go:build lab

package lab

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"boardcast/test/viewers"
)

// soakEnv says for how long to soak.
const soakEnv = "LAB_SOAK"

// How often it looks, and how long things may take.
const (
	soakEvery   = 5 * time.Second
	soakPlays   = 90 * time.Second // from a viewer's call to its picture
	soakAtRest  = 5 * time.Minute  // from the last guest's going until nothing is left of it, nor of a trial of the link
	soakCommand = 30 * time.Second // a command in the guest, over the narrow link
)

// What the soak writes, in the repository: the table, and the plot that gnuplot makes of it.
const (
	soakTable   = "../../docs/soak.tsv"
	soakPlot    = "../../docs/soak.png"
	soakPlotter = "soak.gnuplot"
)

// soakAddress is where viewers call the program in the guest.
const soakAddress = "ws://" + GuestAddress + ":8080/ws"

// TestSoak has one viewer watch for as long as LAB_SOAK says, while guests come and go, the link behaves badly in turns and the
// camera is unplugged again and again. It writes what the program holds and how long the viewer waits for frames into a table,
// and a plot of it: see soak_judge_test.go for what must be so.
func TestSoak(t *testing.T) {
	text := os.Getenv(soakEnv)
	if text == "" {
		t.Skip(soakEnv + " says no duration: make soak")
	}
	length, err := time.ParseDuration(text)
	if err != nil || length < 2*time.Minute {
		t.Fatalf("%s=%s: want a duration of two minutes at least, such as 1h", soakEnv, text)
	}
	m := boot(t)
	load(t, m)
	t.Cleanup(func() { restore(t, m) })
	run(t, m, soakCommand, "modprobe -a sch_tbf sch_netem")
	t.Cleanup(func() { shape(t, m, soakTurn{}) })
	s := &soak{t: t, m: m, began: time.Now()}
	s.program = startProgramWith(t, m, strings.Join(viewers.Allocators(t), " ")+" CACHE_DIRECTORY=/run/trials-soak", "--camera", vividCamera, "--microphone", "hw:CARD=Loopback,DEV=1",
		"--encoder", "openh264enc", "--width", "320", "--height", "180", "--framerate", "10", "--bitrate", "500k")
	s.steady = viewers.Start(t, onHost, HostAddress)
	s.steady.Join(soakAddress, "steady", viewers.Manner{})
	s.steady.Wait("steady", viewers.StagePlaying, soakPlays)
	s.guests = newSoakGuests(t)
	s.warm()
	s.first = s.rest()
	t.Logf("at rest: %v", s.first)
	s.soak(length)
	s.guests.allLeave()
	s.last = s.rest()
	s.finish()
}

// onHost is a command on the host's end of the tap, which is where the tests are.
func onHost(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// soak is one run of it.
type soak struct {
	t       *testing.T
	m       *Machine
	program *Process
	steady  *viewers.Process
	guests  *soakGuests
	began   time.Time // of the soak itself
	turn    soakTurn  // as it is now
	table   *bufio.Writer
	soakRecord
}

// warm has what is made once be made: guests of each kind, and a camera that goes and comes.
func (s *soak) warm() {
	s.t.Helper()
	for range guestKinds {
		s.guests.come(0)
	}
	s.take(soakTurn{unplugged: true})
	s.take(soakTurn{})
	s.guests.settle()
	s.guests.allLeave()
}

// rest waits until only the steady viewer is left, one encoder runs for it, and what goes after them has gone.
func (s *soak) rest() held {
	s.t.Helper()
	var h held
	same := 0 // looks in a row
	eventually(s.t, soakAtRest, "one viewer left, and the numbers of descriptors and threads at rest", func() bool {
		before := h
		var now programStatus
		h, now = s.look()
		same++
		if len(now.Media.Viewers) != 1 || now.encoders() != 1 || !h.like(before) {
			same = 0
		}
		return same == 20
	})
	return h
}

// look is what the program holds, and what it says.
func (s *soak) look() (h held, now programStatus) {
	s.t.Helper()
	out := run(s.t, s.m, soakCommand, fmt.Sprintf(`while read -r key value _; do [ "$key" != VmRSS: ] || rss=$value; done </proc/%[1]s/status || exit
		fds=(/proc/%[1]s/fd/*) threads=(/proc/%[1]s/task/*)
		echo "$rss ${#fds[@]} ${#threads[@]}"`, s.program.group))
	if _, err := fmt.Sscan(out, &h.rss, &h.fds, &h.threads); err != nil {
		s.t.Fatalf("read %q: %v", out, err)
	}
	now = status(s.t)
	h.goroutines = now.Goroutines
	return h, now
}

// soak looks every few seconds, and arranges what comes next.
func (s *soak) soak(length time.Duration) {
	s.t.Helper()
	file, err := os.Create(soakTable)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	s.t.Cleanup(s.plot)
	s.table = bufio.NewWriter(file)
	version, _, _ := strings.Cut(s.program.Output(), ": open http")
	_, _ = fmt.Fprintf(s.table, "# %s, %s, %s\n%s\n", version[strings.LastIndex(version, "\n")+1:], time.Now().UTC().Format(time.DateOnly), os.Getenv(soakEnv), soakHeader)
	s.began = time.Now()
	s.steady.Mark()
	ticker := time.NewTicker(soakEvery)
	defer ticker.Stop()
	for last := time.Duration(0); last < length; {
		at := time.Since(s.began)
		s.guests.turn(at)
		s.take(turnAt(at, length))
		<-ticker.C
		last = s.row(last)
		if s.t.Failed() {
			return
		}
	}
	s.take(soakTurn{})
}

// row looks at all there is to look at since the last row, and returns when that was.
func (s *soak) row(last time.Duration) time.Duration {
	s.t.Helper()
	h, now := s.look()
	seen := s.steady.Views()["steady"]
	s.steady.Mark()
	if seen.Ended || s.program.hasEnded() {
		s.t.Fatalf("the steady viewer has ended: %v, the program: %v", seen.Ended, s.program.hasEnded())
	}
	late, err := s.m.Late(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	at := time.Since(s.began)
	r := soakRow{
		at: at, took: at - last, held: h, frames: seen.Frames, bytes: seen.Bytes, turn: s.turn,
		gap: time.Duration(seen.Gap * float64(time.Millisecond)), lag: max(late, time.Duration(seen.Lag*float64(time.Millisecond))),
		viewers: len(now.Media.Viewers), gets: now.gets("steady"),
	}
	s.rows = append(s.rows, r)
	_, _ = fmt.Fprintln(s.table, r)
	if err := s.table.Flush(); err != nil {
		s.t.Fatal(err)
	}
	if len(s.rows)%12 == 0 {
		s.t.Log(r)
	}
	return at
}

// take makes the link and the camera what a turn wants.
func (s *soak) take(turn soakTurn) {
	s.t.Helper()
	if turn.link != s.turn.link {
		shape(s.t, s.m, turn)
	}
	if turn.unplugged != s.turn.unplugged {
		run(s.t, s.m, soakCommand, map[bool]string{true: unbindVivid, false: bindVivid}[turn.unplugged])
	}
	s.turn = turn
}

// shape has what leaves the guest go by a turn's link.
func shape(t *testing.T, m *Machine, turn soakTurn) {
	t.Helper()
	script := "tc qdisc del dev eth0 root 2>/dev/null"
	if discipline := links[turn.link]; discipline != "" {
		script += "; tc qdisc add dev eth0 root " + discipline
	} else {
		script += "; true"
	}
	ctx, cancel := context.WithTimeout(context.Background(), soakCommand)
	defer cancel()
	if out, err := m.Run(ctx, script); err != nil {
		t.Fatalf("make the link %v: %v\n%s", turn, err, out)
	}
}

// plot draws what there is in the table, also after a failure.
func (s *soak) plot() {
	s.t.Helper()
	if len(s.rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), soakCommand)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "gnuplot", "-c", soakPlotter, soakTable, soakPlot).CombinedOutput(); err != nil {
		s.t.Errorf("plot: %v\n%s", err, out)
	}
}

// finish judges.
func (s *soak) finish() {
	s.t.Helper()
	s.came, s.asked, s.played = s.guests.came, s.guests.asked, s.guests.played
	for line := range strings.Lines(s.program.Output()) {
		if viewers.Disaster(line) {
			s.t.Errorf("the program said: %s", line)
		}
	}
	s.t.Log(s.soakRecord)
	for _, fault := range s.faults() {
		s.t.Error(fault)
	}
	figures.add("soak", "%v", s.soakRecord)
}

// The kinds of guests: those that hang up, those whose process is killed, those that break off at any stage.
const guestKinds = 3

// soakGuests come and go. All chance comes from a seed.
type soakGuests struct {
	t      *testing.T
	random *rand.Rand
	crowd  *viewers.Process // but those that are killed
	next   time.Duration    // when the next one comes
	going  []departure
	came   int
	asked  int // of those that hang up: they were there for long enough
	played int // of asked
}

// departure is how a guest goes, and when.
type departure struct {
	at    time.Duration
	leave func()
}

func newSoakGuests(t *testing.T) *soakGuests {
	t.Helper()
	return &soakGuests{t: t, random: rand.New(rand.NewPCG(5, 5)), crowd: viewers.Start(t, onHost, HostAddress)}
}

// turn has those go whose time it is, and the next one come.
func (g *soakGuests) turn(now time.Duration) {
	g.t.Helper()
	g.going = slices.DeleteFunc(g.going, func(d departure) bool {
		if d.at <= now {
			d.leave()
		}
		return d.at <= now
	})
	if now >= g.next {
		g.come(now)
		g.next = now + soakEvery*time.Duration(2+g.random.IntN(5)) // 10 to 30 s: three a minute
	}
}

// come has the next guest call, who stays for 20 to 60 s unless it breaks off.
func (g *soakGuests) come(now time.Duration) {
	g.t.Helper()
	id := "guest-" + strconv.Itoa(g.came)
	at := now + 20*time.Second + time.Duration(g.random.Int64N(int64(40*time.Second)))
	switch g.came % guestKinds {
	case 0:
		g.crowd.Join(soakAddress, id, viewers.Manner{})
		g.going = append(g.going, departure{at, func() { g.hangUp(id) }})
	case 1:
		doomed := viewers.Start(g.t, onHost, HostAddress)
		doomed.Join(soakAddress, id, viewers.Manner{})
		g.going = append(g.going, departure{at, doomed.Kill})
	case 2:
		stages := []viewers.Stage{viewers.StageHello, viewers.StageSession, viewers.StageOffered, viewers.StageAnswered, viewers.StageConnected}
		after := time.Duration(g.random.IntN(200)) * time.Millisecond
		g.crowd.Join(soakAddress, id, viewers.Manner{Leave: stages[g.random.IntN(len(stages))], After: after})
	}
	g.came++
}

func (g *soakGuests) hangUp(id string) {
	g.t.Helper()
	g.asked++
	if g.crowd.Views()[id].Frames > 0 {
		g.played++
	}
	g.crowd.Leave(id)
}

// settle waits until the first guest plays, who is one that hangs up.
func (g *soakGuests) settle() {
	g.t.Helper()
	g.crowd.Wait("guest-0", viewers.StagePlaying, soakPlays)
}

func (g *soakGuests) allLeave() {
	g.t.Helper()
	for _, d := range g.going {
		d.leave()
	}
	g.going = nil
}
