package signalling

import (
	"maps"
	"net/netip"
	"sync"
)

// unregistered is an id that was refused to a peer, and the peer's address.
type unregistered struct {
	id   string
	from netip.Addr
}

// mostRefusals is how many refusals are remembered: more clients with a wrong id at once are an attack, whose lines the limit of the
// log cuts short.
const mostRefusals = 64

// refusals remembers who was told that an id is refused. The zero value is ready. It is safe for concurrent use.
type refusals struct {
	mu   sync.Mutex
	told map[unregistered]struct{}
}

// again remembers a refusal, and reports whether it was remembered already.
func (r *refusals) again(u unregistered) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.told[u]; known {
		return true
	}
	if r.told == nil || len(r.told) >= mostRefusals {
		r.told = make(map[unregistered]struct{})
	}
	r.told[u] = struct{}{}
	return false
}

// forget forgets the refusals of an id that is registered now: the next one is news.
func (r *refusals) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.told, func(u unregistered, _ struct{}) bool { return u.id == id })
}
