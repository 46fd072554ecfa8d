package hostile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// settle is how long a session stays after its description was sent: the program applies it meanwhile, and its end would
// break that off. A tenth of the sessions stay three times as long.
const settle = 120 * time.Millisecond

// liveWithin is how long a connection may take that an altered answer still leads to.
const liveWithin = 2 * time.Second

// busy is the outcome of a session that the program had no place for. Run then tries again, at most busyTries times, and waits
// busyPause before each try.
const (
	busy      = "no place"
	busyTries = 100
	busyPause = 100 * time.Millisecond
)

// Way is one way by which descriptions reach the program.
type Way string

// The ways of the program's own server; a WHIP server's answers are the test's to give.
const (
	WHEP   Way = "offers by WHEP"
	Caller Way = "offers over the WebSocket"
	Callee Way = "answers over the WebSocket"
)

// Session is one description that was altered by a seed, sent and seen to its end.
type Session struct {
	Way     Way
	Seed    uint64
	Text    string   // as it was sent, empty where it did not come to that
	Did     []string // what was done to it
	Outcome string   // "201", "400", "answered", "refused", "closed", "silent" and so on
	Err     error    // of the connection: the program may be gone
	Unsent  bool     // the program was gone before the description could be sent
}

// random is all the chance of a session but for the names and keys that pion makes for an answer: a seed gives the same text to
// the same offer again.
func random(way Way, seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(len(way))))
}

// Run makes the session of a seed. While the program has no place it is tried again.
func (d Door) Run(ctx context.Context, way Way, seed uint64) Session {
	for tries := 0; ; tries++ {
		s := d.once(ctx, way, seed)
		if s.Outcome != busy || tries == busyTries {
			return s
		}
		wait(ctx, busyPause)
	}
}

// once makes the session, or finds the program busy.
func (d Door) once(ctx context.Context, way Way, seed uint64) Session {
	s := Session{Way: way, Seed: seed}
	r := random(way, seed)
	switch way {
	case WHEP:
		s.Text, s.Did = Mutate(Offers()[r.IntN(len(Offers()))], r)
		d.offer(ctx, &s, r)
	case Caller:
		s.Text, s.Did = Mutate(Offers()[r.IntN(len(Offers()))], r)
		d.call(ctx, &s, r)
	case Callee:
		if r.IntN(8) == 0 {
			d.live(ctx, &s, r)
		} else {
			d.answer(ctx, &s, r)
		}
	}
	s.Unsent = errors.Is(s.Err, syscall.ECONNREFUSED)
	if s.Err != nil {
		s.Outcome = "broken off"
	}
	return s
}

// fragmentText is a right fragment of candidates.
var fragmentText = strings.Join(append(Credentials()[:2], "m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", candidates[0], candidates[4],
	"a=end-of-candidates"), "\r\n") + "\r\n"

// offer POSTs a description, and PATCHes and deletes the session that comes of it.
func (d Door) offer(ctx context.Context, s *Session, r *rand.Rand) {
	reply, err := d.Offer(ctx, s.Text)
	if err != nil {
		s.Err = err
		return
	}
	switch s.Outcome = fmt.Sprint(reply.Status); reply.Status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		s.Outcome = busy
		return
	case http.StatusCreated:
	default:
		return
	}
	if r.IntN(2) == 0 {
		fragment, _ := Mutate(fragmentText, r)
		if _, err := d.Request(ctx, http.MethodPatch, reply.Location, "application/trickle-ice-sdpfrag", fragment); err != nil {
			s.Err = err
			return
		}
	}
	wait(ctx, settle)
	if _, err := d.Request(ctx, http.MethodDelete, reply.Location, "", ""); err != nil {
		s.Err = err
	}
}

// call sends an offer in a session over the WebSocket. Some offers are called something else.
func (d Door) call(ctx context.Context, s *Session, r *rand.Rand) {
	kind := "offer"
	if r.IntN(20) == 0 {
		kind = []string{"answer", "pranswer", "rollback", "", "x"}[r.IntN(5)]
	}
	line, err := d.Call(ctx, fmt.Sprint("m", s.Seed))
	if err != nil {
		s.settleError(err)
		return
	}
	defer line.Close()
	if err := line.Describe(kind, s.Text); err != nil {
		s.Err = err
		return
	}
	s.hear(line, r)
}

// answer asks for an offer and answers it in a way that is nearly right.
func (d Door) answer(ctx context.Context, s *Session, r *rand.Rand) {
	line, offer, err := d.ask(ctx, fmt.Sprint("m", s.Seed))
	if err != nil {
		s.settleError(err)
		return
	}
	defer line.Close()
	if s.Text, s.Did, err = answerTo(offer, r); err != nil {
		s.Outcome = "no answer: " + err.Error()
		return
	}
	if err := line.Describe("answer", s.Text); err != nil {
		s.Err = err
		return
	}
	s.hear(line, r)
}

// live is answer with a connection behind it: where the altered text still leads to one, media flow.
func (d Door) live(ctx context.Context, s *Session, r *rand.Rand) {
	var mu sync.Mutex // the answer may still be made when the time is over
	var text string
	var did []string
	p, err := d.join(ctx, fmt.Sprint("m", s.Seed), liveWithin, func(right string) string {
		mu.Lock()
		defer mu.Unlock()
		text, did = Mutate(right, r)
		return text
	})
	mu.Lock()
	s.Text, s.Did = text, did
	mu.Unlock()
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errNoConnection):
		s.Outcome = "silent"
		return
	case err != nil:
		s.settleError(err)
		return
	}
	defer p.Leave()
	if out, err := p.stream(); err == nil {
		say(out, 0, 20)
	}
	_, _ = p.pc.CreateDataChannel("c", nil) // it may have been ended
	wait(ctx, 3*settle)
	s.Outcome = "connected"
}

// hear names candidates, right and wrong ones, and waits for what the program says to a description.
func (s *Session) hear(line *Line, r *rand.Rand) {
	sections := []int{0, 1, 2, 9, 1023, -1, 1 << 20}
	for range r.IntN(4) {
		text := candidates[r.IntN(len(candidates))]
		_ = line.Candidate(text[r.IntN(3):], sections[r.IntN(len(sections))]) // a line that has ended is heard of below
	}
	stay := settle
	if r.IntN(10) == 0 {
		stay *= 3
	}
	s.outcome(line.Description(stay))
}

// outcome is what was heard after a description was sent.
func (s *Session) outcome(_ string, err error) {
	var late net.Error
	switch {
	case err == nil:
		s.Outcome = "answered"
	case errors.As(err, &late) && late.Timeout():
		s.Outcome = "silent"
	default:
		s.settleError(err)
	}
}

// settleError tells a refusal and an orderly end from a connection that broke.
func (s *Session) settleError(err error) {
	var end *websocket.CloseError
	switch {
	case errors.Is(err, ErrRefused) && strings.HasSuffix(err.Error(), "busy"):
		s.Outcome = busy
	case errors.Is(err, ErrRefused):
		s.Outcome = "refused"
	case errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure:
		s.Outcome = fmt.Sprint("closed ", end.Code)
	case errors.Is(err, websocket.ErrBadHandshake):
		s.Outcome = "turned away"
	default:
		s.Err = err
	}
}

// wait waits for a time that is itself the point, or for the end.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
