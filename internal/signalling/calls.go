package signalling

import (
	"slices"
	"sync/atomic"
	"time"

	"boardcast/internal/sdp"
)

const (
	maxEarly = 64  // ICE candidates that are kept for a call until its session is there: a browser has some twenty
	maxWords = 2   // other messages that are kept meanwhile: the one that opened the call, and one of a peer that did not wait for our reply
	maxCalls = 256 // members of a room that may have a call at once: as many as our own server takes connections
)

// openAllowance bounds how often sessions are opened: as often as players of WHEP may open them from one address. The rest of a
// larger room waits for some seconds. Members that come and go all the time cost no more than this.
var openAllowance = Allowance{PerSecond: 5, Burst: 40}

// call is a link's side of a session with one peer, from before the session is there until its end.
type call struct {
	peer    string
	opening bool          // an offer, or a request for one, was said: the session is there, or is being opened
	session Session       // nil until it is there
	cancel  func()        // gives up opening the session; nil before that has begun
	early   []sdp.Message // what the peer said before the session was there
	words   int           // how many messages in early are no ICE candidates
	ask     bool          // we ask the peer to make the offer
	over    atomic.Bool   // nothing more is sent to the peer
}

// keep keeps a message until the session is there: ICE candidates always, other messages once the call is being opened.
func (cl *call) keep(m sdp.Message) {
	candidate := m.Candidate != "" || m.Gathered
	switch {
	case candidate && len(cl.early) < maxEarly:
	case !candidate && cl.opening && cl.words < maxWords:
		cl.words++
	default:
		return
	}
	cl.early = append(cl.early, m)
}

// calls are all calls of a link. Outside a room there is at most one, and its key is "". In a room the key is the peer's id.
type calls struct {
	byKey  map[string]*call
	toMake map[string]bool // members of the room whom we call once the kept session with them has ended
	due    []*call         // calls whose session is to be opened, the oldest first
	opens  bucket          // of sessions
}

func newCalls() calls {
	return calls{byKey: make(map[string]*call), toMake: make(map[string]bool), opens: newBucket(openAllowance, time.Now())}
}

// full tells that no further member of a room is called.
func (c *calls) full() bool { return len(c.byKey)+len(c.toMake) >= maxCalls }

// nextDue takes the oldest call whose session is to be opened, if one may be opened now.
func (c *calls) nextDue() (cl *call, ok bool) {
	if len(c.due) == 0 || !c.opens.take(time.Now(), 1) {
		return nil, false
	}
	cl, c.due = c.due[0], c.due[1:]
	return cl, true
}

// end hangs up, or gives up opening the session.
func (c *calls) end(cl *call) {
	cl.over.Store(true)
	c.due = slices.DeleteFunc(c.due, func(d *call) bool { return d == cl })
	if cl.cancel != nil {
		cl.cancel()
	}
	if cl.session != nil {
		cl.session.Close()
	}
}
