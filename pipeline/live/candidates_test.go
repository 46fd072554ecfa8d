package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/internal/sdp"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// resolver answers each name with the same address, after a while, and counts the questions.
type resolver struct {
	mu          sync.Mutex
	asked       []string
	atOnce, top int
}

func (r *resolver) lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	r.mu.Lock()
	r.asked = append(r.asked, name)
	r.atOnce++
	r.top = max(r.top, r.atOnce)
	r.mu.Unlock()
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.atOnce--
	return []netip.Addr{netip.MustParseAddr("192.0.2.9")}, nil
}

// offered makes a viewer whose offer is set, so that its ICE candidates are taken.
func offeredViewer(t *testing.T, o Options) (*Viewer, *fake.Peer) {
	t.Helper()
	b, e := startBroadcast(t, o)
	v, p, _ := join(t, b, e)
	v.Receive(Message{Type: "offer", SDP: sdpOf(opusAudio, firefoxVideo)})
	synctest.Wait()
	events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, described(p, "answer"))
	return v, p
}

// taken are the ICE candidates that webrtcbin was given.
func taken(p *fake.Peer) []string {
	return slices.DeleteFunc(p.Said(), func(call string) bool { return !strings.Contains(call, " candidate:") })
}

func TestCandidatesAreFewAndHarmless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, p := offeredViewer(t, Options{})
		for _, text := range []string{
			"candidate:1 1 tcp 1 192.0.2.7 22 typ host tcptype passive", "candidate:1 1 udp 1 127.0.0.1 5000 typ host", "rubbish",
			"candidate:1 1 udp 1 224.0.0.1 5000 typ host", "candidate:1 2 udp 1 192.0.2.7 5000 typ host",
		} {
			v.Receive(Message{Candidate: text})
			synctest.Wait()
		}
		if got := taken(p); len(got) != 0 {
			t.Errorf("webrtcbin was given %q", got)
		}
		for range 3 { // each is taken once, whichever section it names, for the section that has the transport
			v.Receive(Message{Candidate: earlyCandidate, Section: 0}) // sound, which is webrtcbin's second section
			synctest.Wait()
		}
		if got := taken(p); len(got) != 1 || got[0] != "0 "+earlyCandidate {
			t.Errorf("webrtcbin was given %q", got)
		}
		for port := range 200 {
			v.Receive(Message{Candidate: fmt.Sprintf("candidate:1 1 udp 1 192.0.2.7 %d typ host", 1000+port)})
			synctest.Wait()
		}
		if got := taken(p); len(got) > sdp.MaxCandidates {
			t.Errorf("webrtcbin was given %d candidates", len(got))
		}
	})
}

func TestNamesAreLookedUpOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &resolver{}
		names := NewNames()
		names.lookUp = r.lookUp
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- names.Run(ctx) }()
		v, p := offeredViewer(t, Options{Names: names})
		for n := range 100 {
			v.Receive(Message{Candidate: fmt.Sprintf("candidate:1 1 udp 1 name-%d.local %d typ host", n, 5000+n)})
			synctest.Wait()
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if len(r.asked) != maxNames || r.top != 1 {
			t.Errorf("%d names were looked up, %d at once; want %d, one at once", len(r.asked), r.top, maxNames)
		}
		if got := taken(p); len(got) != maxNames || strings.Contains(strings.Join(got, " "), ".local") {
			t.Errorf("webrtcbin was given %q", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A name that the resolver does not answer takes lookUpLimit, and the next name is looked up then.
func TestNamesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := NewNames()
		calls := 0
		names.lookUp = func(ctx context.Context, _ string) ([]netip.Addr, error) {
			calls++
			<-ctx.Done()
			return nil, errors.New("no answer")
		}
		for range 3 * maxQuestions {
			names.ask("x.local", func(netip.Addr) { t.Error("an address of nothing") })
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_ = names.Run(ctx)
		if calls != maxQuestions {
			t.Errorf("%d names were looked up, want %d", calls, maxQuestions)
		}
	})
}
