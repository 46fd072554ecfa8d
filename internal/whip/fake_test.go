package whip

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/internal/sdp"
)

// A description as a browser offers it, and one as the media answer. Both have only what is needed to be accepted.
const (
	head  = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
	ice   = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=fingerprint:sha-256 AA:BB\r\n"
	video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" + ice + "a=mid:0\r\na=rtcp-mux\r\n"
	audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n" + ice + "a=mid:1\r\na=rtcp-mux\r\n"

	offerText  = head + video + "a=recvonly\r\n" + audio + "a=recvonly\r\n"
	answerText = head + video + "a=sendonly\r\n" + audio + "a=sendonly\r\n"
	udp        = "candidate:1 1 UDP 2015363327 192.0.2.1 50000 typ host"
	tcp        = "candidate:2 1 TCP 1015021823 192.0.2.1 9 typ host tcptype active"
)

// fakeMedia makes sessions. script answers an offer, or a request for one.
type fakeMedia struct {
	refuse error
	script func(s *fakeSession, send func(sdp.Message))

	mu       sync.Mutex
	sessions []*fakeSession
}

func (m *fakeMedia) Open(_ context.Context, peer string, _ netip.Addr, send func(sdp.Message)) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return nil, m.refuse
	}
	s := &fakeSession{peer: peer, send: send, script: m.script, done: make(chan struct{})}
	m.sessions = append(m.sessions, s)
	return s, nil
}

func (m *fakeMedia) all() []*fakeSession {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]*fakeSession{}, m.sessions...)
}

func (m *fakeMedia) last(t *testing.T) *fakeSession {
	t.Helper()
	all := m.all()
	if len(all) == 0 {
		t.Fatal("no session was opened")
	}
	return all[len(all)-1]
}

type fakeSession struct {
	peer   string
	send   func(sdp.Message)
	script func(s *fakeSession, send func(sdp.Message))
	done   chan struct{}
	once   sync.Once

	lingers bool
	hungUp  atomic.Bool

	mu  sync.Mutex
	got []sdp.Message
}

func (s *fakeSession) Receive(m sdp.Message) {
	s.mu.Lock()
	s.got = append(s.got, m)
	s.mu.Unlock()
	if s.script != nil && (m.OfferRequest || m.Type == sdp.TypeOffer) {
		s.script(s, s.send)
	}
}

// Close hangs up; media that linger take their time to end.
func (s *fakeSession) Close() {
	s.hungUp.Store(true)
	if !s.lingers {
		s.once.Do(func() { close(s.done) })
	}
}

func (s *fakeSession) Done() <-chan struct{} { return s.done }

func (s *fakeSession) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// heard is what the session was told, in short.
func (s *fakeSession) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, m := range s.got {
		switch {
		case m.Opens() && !m.OneWay:
			out = append(out, "a session of both ways")
		case m.OfferRequest:
			out = append(out, "make an offer")
		case m.Type != "":
			out = append(out, m.Type)
		default:
			out = append(out, string(rune('0'+m.Section))+" "+m.Candidate)
		}
	}
	return out
}

// says answers with a description and candidates, and with the end of them.
func says(typ, text string) func(*fakeSession, func(sdp.Message)) {
	return func(_ *fakeSession, send func(sdp.Message)) {
		send(sdp.Message{Type: typ, SDP: text})
		send(sdp.Message{Candidate: udp})
		send(sdp.Message{Candidate: tcp})
		send(sdp.Message{Gathered: true})
	}
}

func TestCollector(t *testing.T) {
	part := func(text, section string) string {
		before, after, _ := strings.Cut(text, "m=audio")
		if section == "audio" {
			return after
		}
		return before
	}
	cases := []struct {
		name    string
		late    time.Duration // of the end of gathering; negative: it never comes
		want    time.Duration
		endSaid bool
	}{
		{"gathered at once", 0, 0, true},
		{"gathered in time", 300 * time.Millisecond, 300 * time.Millisecond, true},
		{"a STUN server that is dead", -1, gatherLimit, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said, s := newCollector(), &fakeSession{done: make(chan struct{})}
				said.send(sdp.Message{Type: sdp.TypeAnswer, SDP: answerText})
				said.send(sdp.Message{Candidate: udp})
				said.send(sdp.Message{Candidate: tcp, Section: 1})
				said.send(sdp.Message{Candidate: tcp, Section: 7})
				if c.late >= 0 {
					time.AfterFunc(c.late, func() { said.send(sdp.Message{Gathered: true}) })
				}
				begin := time.Now()
				text, err := said.description(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took != c.want {
					t.Errorf("took %v, want %v", took, c.want)
				}
				if !strings.Contains(part(text, "video"), "a="+udp+"\r\n") || !strings.Contains(part(text, "audio"), "a="+tcp+"\r\n") ||
					strings.Count(text, "a=candidate:") != 2 {
					t.Errorf("candidates are not in their sections:\n%s", text)
				}
				if got := strings.Count(text, "a=end-of-candidates\r\n"); got > 0 != c.endSaid {
					t.Errorf("%d ends of candidates, want them said: %v", got, c.endSaid)
				}
			})
		})
	}
}

// Waiting for a description ends when the media end, or the caller does.
func TestCollectorEnds(t *testing.T) {
	for name, described := range map[string]bool{"before the description": false, "while it gathers": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said, s := newCollector(), &fakeSession{done: make(chan struct{})}
				if described {
					said.send(sdp.Message{Type: sdp.TypeAnswer, SDP: answerText})
				}
				time.AfterFunc(time.Millisecond, s.Close)
				if _, err := said.description(t.Context(), s); err == nil {
					t.Error("no error when the media have ended")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if _, err := said.description(ctx, &fakeSession{done: make(chan struct{})}); err == nil {
					t.Error("no error when the caller has ended")
				}
			})
		})
	}
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
