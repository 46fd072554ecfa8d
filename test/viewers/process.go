package viewers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hostEnv is set in a process of viewers: the address of its sockets.
const hostEnv = "BOARDCAST_TEST_VIEWERS"

// How long things take at most.
const (
	answerWithin = 10 * time.Second // a server's answer
	callWithin   = 30 * time.Second // an order to the process
	playWithin   = 60 * time.Second // from the call to the first frame
)

var background = context.Background() // of a process of viewers, which ends with its stdin

// order is what a process of viewers is told, a line of JSON each.
type order struct {
	Do     string // "join", "leave", "mark" or "view"
	ID     string // of one viewer; empty for all
	URL    string
	Manner Manner
}

// word is what it says: a stage that a viewer has reached, or, with an empty one, the answer to an order.
type word struct {
	ID    string
	Stage Stage
	Since float64 // ms since the viewer began to call
	Text  string
	Views map[string]View
}

// Host is for the beginning of a TestMain: in a process that Start made it runs viewers as they are ordered on stdin, and
// returns true, and what went wrong, when there are no more orders. Elsewhere it returns false at once.
func Host() (bool, error) {
	local := os.Getenv(hostEnv)
	if local == "" {
		return false, nil
	}
	return true, obeyAll(local, os.Stdin, os.Stdout)
}

func obeyAll(local string, in io.Reader, out io.Writer) error {
	h := &host{local: local, viewers: map[string]*viewer{}, out: json.NewEncoder(out)}
	go h.watch()
	orders := json.NewDecoder(in)
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		h.obey(o)
	}
}

// host is the process's side. The orders are obeyed one after the other.
type host struct {
	local   string // address of the viewers' own sockets
	viewers map[string]*viewer

	mu  sync.Mutex // guards what is below
	out *json.Encoder
	lag time.Duration
}

func (h *host) tell(w word) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.out.Encode(w)
}

// watch measures how late this process's timers are.
func (h *host) watch() {
	const every = 10 * time.Millisecond
	last := time.Now()
	for range time.Tick(every) {
		now := time.Now()
		h.mu.Lock()
		h.lag = max(h.lag, now.Sub(last)-every)
		h.mu.Unlock()
		last = now
	}
}

func (h *host) obey(o order) {
	answer := word{Text: o.Do}
	switch o.Do {
	case "join":
		v := newViewer(o.ID, h.local, o.Manner, h.tell)
		h.viewers[o.ID] = v
		go v.run(o.URL)
		return
	case "leave":
		if v := h.viewers[o.ID]; v != nil {
			v.leave()
			delete(h.viewers, o.ID)
		} else {
			answer.Text = errNoViewer.Error()
		}
	case "mark":
		for _, v := range h.viewers {
			v.mark()
		}
		h.mu.Lock()
		h.lag = 0
		h.mu.Unlock()
	case "view":
		h.mu.Lock()
		lag := ms(h.lag)
		h.mu.Unlock()
		answer.Views = map[string]View{}
		for id, v := range h.viewers {
			seen := v.view()
			seen.Lag = lag
			answer.Views[id] = seen
		}
	}
	h.tell(answer)
}

// Command makes a command that runs where the viewers are to be, such as a network namespace.
type Command func(ctx context.Context, args ...string) *exec.Cmd

// Process is a process with any number of viewers that need no browser. It is the test binary itself, whose TestMain calls
// Host. All methods belong to the test's goroutine.
type Process struct {
	t       testing.TB
	cmd     *exec.Cmd
	stdin   io.Closer
	orders  *json.Encoder
	answers chan word
	exited  chan struct{}

	mu      sync.Mutex
	stages  map[string]map[Stage]word // by viewer
	changed chan struct{}             // closed, and made anew, at each stage
}

// Start starts a process without a viewer yet; local is the address of its sockets. It ends with the test.
func Start(t testing.TB, command Command, local string) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("find own executable: %v", err)
	}
	v := &Process{
		t: t, answers: make(chan word, 1), exited: make(chan struct{}),
		stages: map[string]map[Stage]word{}, changed: make(chan struct{}),
	}
	v.cmd = command(context.WithoutCancel(t.Context()), self)
	v.cmd.Env = append(os.Environ(), hostEnv+"="+local)
	v.cmd.Stderr = os.Stderr
	stdin, err := v.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	stdout, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("make a pipe: %v", err)
	}
	v.stdin, v.orders = stdin, json.NewEncoder(stdin)
	if err := v.cmd.Start(); err != nil {
		t.Fatalf("start viewers: %v", err)
	}
	go v.listen(stdout)
	t.Cleanup(v.Kill)
	return v
}

func (v *Process) listen(stdout io.Reader) {
	defer close(v.exited)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var w word
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			continue // the end of a process that was killed
		}
		if w.Stage == "" {
			v.answers <- w
			continue
		}
		v.mu.Lock()
		if v.stages[w.ID] == nil {
			v.stages[w.ID] = map[Stage]word{}
		}
		v.stages[w.ID][w.Stage] = w
		close(v.changed)
		v.changed = make(chan struct{})
		v.mu.Unlock()
	}
	_ = v.cmd.Wait()
}

func (v *Process) order(o order) {
	v.t.Helper()
	if err := v.orders.Encode(o); err != nil {
		v.t.Fatalf("tell the viewers to %s: %v", o.Do, err)
	}
}

func (v *Process) ask(o order) word {
	v.t.Helper()
	v.order(o)
	timer := time.NewTimer(callWithin)
	defer timer.Stop()
	select {
	case w := <-v.answers:
		return w
	case <-v.exited:
		v.t.Fatalf("%s: the viewers' process has ended", o.Do)
	case <-timer.C:
		v.t.Fatalf("%s: the viewers' process does not answer", o.Do)
	}
	return word{}
}

// Join has a viewer call the streamer by its WebSocket's URL, and does not wait for it.
func (v *Process) Join(url, id string, m Manner) {
	v.t.Helper()
	v.order(order{Do: "join", ID: id, URL: url, Manner: m})
}

// Leave has a viewer hang up in order.
func (v *Process) Leave(id string) {
	v.t.Helper()
	v.ask(order{Do: "leave", ID: id})
}

// Mark begins to count anew.
func (v *Process) Mark() {
	v.t.Helper()
	v.ask(order{Do: "mark"})
}

// Views is what each viewer has seen since Mark.
func (v *Process) Views() map[string]View {
	v.t.Helper()
	return v.ask(order{Do: "view"}).Views
}

// Wait waits until a viewer has reached a stage.
func (v *Process) Wait(id string, s Stage, within time.Duration) {
	v.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		ok, over, changed := v.stage(id, s)
		if ok {
			return
		}
		if over != "" {
			v.t.Fatalf("viewer %s is not %s but has ended: %s", id, s, over)
		}
		select {
		case <-changed:
		case <-v.exited:
			v.t.Fatalf("viewer %s is not %s: its process has ended", id, s)
		case <-timer.C:
			v.t.Fatalf("viewer %s is not %s within %v", id, s, within)
		}
	}
}

func (v *Process) stage(id string, s Stage) (ok bool, over string, changed <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	stages := v.stages[id]
	_, ok = stages[s]
	if end, ended := stages[StageEnded]; ended {
		over = strings.TrimSpace(stages[StageRefused].Text + " " + end.Text)
	}
	return ok, over, v.changed
}

// Signal sends the process a signal.
func (v *Process) Signal(sig syscall.Signal) {
	v.t.Helper()
	if err := v.cmd.Process.Signal(sig); err != nil {
		v.t.Fatalf("send %v to the viewers: %v", sig, err)
	}
}

// Kill ends the process by SIGKILL and waits for it.
func (v *Process) Kill() {
	_ = v.cmd.Process.Kill() // an error means that it has ended
	_ = v.stdin.Close()
	<-v.exited
}

// Play joins one good viewer and waits until it plays.
func (v *Process) Play(url, id string) {
	v.t.Helper()
	v.Join(url, id, Manner{})
	v.Wait(id, StagePlaying, playWithin)
}

func (v View) String() string {
	return fmt.Sprintf("%d of %d frames, %d keyframes, longest gap %.0f ms (timers late by up to %.0f ms), delay %.1f ms (95%%: %.1f, most: %.1f)",
		v.Frames, v.Due, v.Keyframes, v.Gap, v.Lag, v.Delay, v.DelayP95, v.DelayMax)
}
