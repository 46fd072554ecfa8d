//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"syscall"
	"testing"
	"time"

	"boardcast/test/hostile"
)

// Each answer of a WHIP server costs a start of the program, or the time after which it tries again: so there are fewer.
const (
	whipShare  = 40
	whipLeast  = 8
	whipAgain  = 300 * time.Millisecond // for the program to try again by itself before it is told to
	whipStarts = 20 * time.Second       // from being told to its next offer, on a busy machine
)

// wrongWHIP is a media server that answers each offer with what the next seed made of a right answer.
type wrongWHIP struct {
	seed chan uint64 // of the next answer
	said chan hostile.Session
}

// ServeHTTP implements [http.Handler].
func (s *wrongWHIP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusOK)
		return
	}
	offer, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program was ended in the middle of it
	}
	var seed uint64
	select {
	case seed = <-s.seed:
	case <-r.Context().Done():
		return
	}
	text, did, err := hostile.AnswerTo(string(offer), seed)
	s.said <- hostile.Session{Way: "answers of a WHIP server", Seed: seed, Text: text, Did: did, Err: err}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", path.Join("/session", strconv.FormatUint(seed, 10)))
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, text) // the program may be gone
}

// mutateWHIP has the program publish to a server whose answers were altered by seeds.
func mutateWHIP(t *testing.T, count int) {
	t.Setenv("NOTIFY_SOCKET", path.Join(t.TempDir(), "nobody")) // SIGHUP begins anew only under a service manager
	server := &wrongWHIP{seed: make(chan uint64), said: make(chan hostile.Session, 1)}
	address := serve(t, server)
	m := &mutator{t: t, way: "answers of a WHIP server", outcomes: map[string]int{}}
	start := func() {
		m.program = StartBoardcast(t, "--width", "160", "--height", "120", "--framerate", "10", "--whip", "http://"+address+"/whip")
		m.program.ended = true // its end is ours to judge
	}
	start()
	m.began = time.Now()
	first := uint64(number(t, mutationsSeed, 1))
	for seed := first; seed < first+uint64(count) && len(m.deaths) < mostDeaths; seed++ {
		s, ok := server.answer(t, m.program, seed)
		if !ok {
			t.Fatalf("no offer within %v", whipStarts)
		}
		m.outcomes["answered"]++
		if _, died := m.program.Wait(whipAgain); died {
			m.died(s, m.program.lastWords())
			start()
		}
	}
	m.took = time.Since(m.began)
	m.report(count)
}

// answer waits until the program has been given the answer of a seed. It is started anew by a signal where it does not try
// again by itself.
func (s *wrongWHIP) answer(t *testing.T, program *Program, seed uint64) (hostile.Session, bool) {
	t.Helper()
	select {
	case s.seed <- seed:
		return <-s.said, true
	case <-time.After(whipAgain):
	}
	if err := program.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatalf("send SIGHUP: %v", err)
	}
	select {
	case s.seed <- seed:
		return <-s.said, true
	case <-program.exited:
		t.Fatal(fmt.Errorf("the program ended when it was told to start anew: %s", program.lastWords()))
	case <-time.After(whipStarts):
	}
	return hostile.Session{}, false
}
