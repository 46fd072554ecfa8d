package signalling

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 500 * time.Millisecond // longest delay before the second attempt: a server that restarts is back within seconds
	backoffMost  = 15 * time.Second       // longest delay of all: nobody waits longer for a server that is back
)

// backoff gives the delays between attempts. They grow exponentially and are random from 0 up, so that many boards that lost the
// same server do not come back at the same moment.
type backoff struct{ attempt int }

// next returns the delay before the next attempt: a random time up to a ceiling that doubles from backoffFirst to backoffMost.
func (b *backoff) next() time.Duration {
	ceiling := backoffMost
	if b.attempt < 5 { // from then on the ceiling would be above backoffMost
		ceiling = min(backoffMost, backoffFirst<<b.attempt)
	}
	b.attempt++
	return rand.N(ceiling) + 1
}

func (b *backoff) reset() { b.attempt = 0 }

// between returns a random time of at least from and less than to.
func between(from, to time.Duration) time.Duration { return from + rand.N(to-from) }
