package access

import (
	"context"
	"time"
)

// lookEvery is how often Run looks at the file and at the clock. A changed key is to end whoever used it within a second; looking
// costs some 5 µs.
const lookEvery = 500 * time.Millisecond

// Run follows the file, which another program may change, and ends keys that expire. It returns nil once ctx ends. The keys stay in
// force while the file is missing or cannot be used.
func (k *Keys) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if k.kept {
			k.follow()
		}
		k.expire(time.Now())
	}
}

// follow takes up the file if it is another than at the last look.
func (k *Keys) follow() {
	now := k.folder.stat()
	k.mu.RLock()
	before := k.stamp
	k.mu.RUnlock()
	if now == before {
		return
	}
	from, err := k.folder.read()
	if err != nil {
		k.log.Error("the changed keys cannot be used: those in force stay", "error", err)
		k.look(now)
		return
	}
	k.warnOfModes(from)
	k.take(from.record, from.stamp)
	k.log.Info("the keys have changed")
}

// look remembers a state of the file that cannot be used, so that it is logged once.
func (k *Keys) look(s stamp) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stamp = s
}

// expire ends whoever came with a key that has expired.
func (k *Keys) expire(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.entries {
		if e.grant.expired(now) {
			e.end()
		}
	}
}
