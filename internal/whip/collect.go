package whip

import (
	"context"
	"errors"
	"sync"
	"time"

	"boardcast/internal/sdp"
)

// gatherLimit is how long a description waits for its ICE candidates. They are sent within the description, because players are
// told of no later ones, and some servers take none later. Gathering takes longer only where a STUN server does not answer.
const gatherLimit = time.Second

// errEnded says that the connection for picture and sound has ended.
var errEnded = errors.New("the connection has ended")

// refusedByMedia is why the media refuse a description.
type refusedByMedia string

func (r refusedByMedia) Error() string { return string(r) }

// collector keeps the messages of a session until they are asked for. It is safe for concurrent use.
type collector struct {
	mu         sync.Mutex
	text       string        // the description
	candidates []sdp.Message // since the last take
	gathered   bool          // no more ICE candidates follow
	refused    string        // why the media refuse the other side's description; empty when they do not
	news       chan struct{} // has a value when a message came
}

func newCollector() *collector { return &collector{news: make(chan struct{}, 1)} }

// send takes one message of the session.
func (c *collector) send(m sdp.Message) {
	c.mu.Lock()
	switch {
	case m.Type != "":
		c.text = m.SDP
	case m.Candidate != "":
		c.candidates = append(c.candidates, m)
	case m.Gathered:
		c.gathered = true
	case m.Error != "":
		c.refused = m.Error
	}
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// description waits for the session's description, and returns it with the ICE candidates that came within gatherLimit.
func (c *collector) description(ctx context.Context, s Session) (string, error) {
	if err := c.until(ctx, s, func() bool { return c.text != "" }); err != nil {
		return "", err
	}
	gather, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	err := c.until(gather, s, func() bool { return c.gathered })
	if _, no := errors.AsType[refusedByMedia](err); no || errors.Is(err, errEnded) || ctx.Err() != nil {
		return "", err
	}
	candidates, gathered := c.take()
	c.mu.Lock()
	defer c.mu.Unlock()
	return withCandidates(c.text, candidates, gathered), nil
}

// take returns the ICE candidates since the last take, and whether no more follow.
func (c *collector) take() (candidates []sdp.Message, gathered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	candidates = c.candidates
	c.candidates = nil
	return candidates, c.gathered
}

// until waits until ok returns true. ok is called with the lock held.
func (c *collector) until(ctx context.Context, s Session, ok func() bool) error {
	for {
		c.mu.Lock()
		done, refused := ok(), c.refused
		c.mu.Unlock()
		switch {
		case refused != "":
			return refusedByMedia(refused)
		case done:
			return nil
		}
		select {
		case <-c.news:
		case <-s.Done():
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refusal is why the media refused the other side's description, empty when they have not.
func (c *collector) refusal() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}
