package signalling

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 500 * time.Millisecond
	backoffMost  = 15 * time.Second
)

// backoff gives the delays between attempts: exponential with full jitter, so that many boards that lost the same server
// do not come back in step.
type backoff struct{ attempt int }

// next returns the delay before another attempt: anything up to a ceiling that doubles from half a second to 15 s.
func (b *backoff) next() time.Duration {
	ceiling := backoffMost
	if b.attempt < 5 {
		ceiling = min(backoffMost, backoffFirst<<b.attempt)
	}
	b.attempt++
	return rand.N(ceiling) + 1
}

func (b *backoff) reset() { b.attempt = 0 }

// between returns a random time from the one to the other.
func between(from, to time.Duration) time.Duration { return from + rand.N(to-from) }
