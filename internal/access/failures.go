package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// failuresPerSecond is how many wrong keys of one address a second are answered as such, in the long run: one in six seconds.
	// A key has 128 bits, so this is for the log and the processor; nobody guesses it at any rate.
	failuresPerSecond = 1.0 / 6
	// failureBurst is how many wrong keys of one address are answered as such at once: a page with an old key asks for several
	// things as it opens, and a person mistypes.
	failureBurst = 20
	// allFailuresPerSecond and allFailureBurst are the same of all addresses together.
	allFailuresPerSecond = 10
	allFailureBurst      = 200
	// mostAddresses is how many addresses are remembered: some 100 kB.
	mostAddresses = 1024
	// networkBits is how much of an IPv6 address counts: whoever has one address has all of its /64.
	networkBits = 64
)

// Failures limits wrong keys, per address and in all. It is only asked about requests without a right key: a right key is always let
// in, also from an address from which wrong ones come. Checking a key takes less time than refusing to check it would save.
//
//	grant, err := keys.Check(name, key)
//	if err != nil && !failures.Fail(address) {
//		// answer 429 and close the connection, as shortly as can be
//	}
//
// # Concurrency
//
// Safe for concurrent use.
type Failures struct {
	mu        sync.Mutex
	all       bucket
	addresses map[netip.Addr]bucket
}

// bucket counts down from a burst, and fills again with time.
type bucket struct {
	left float64
	seen time.Time
}

// NewFailures starts counting.
func NewFailures() *Failures {
	return &Failures{all: bucket{left: allFailureBurst}, addresses: map[netip.Addr]bucket{}}
}

// Allow reports whether one more wrong key from the address would be answered as such. It counts nothing.
func (f *Failures) Allow(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	one, known := f.addresses[network(from)]
	return f.all.at(now, allFailuresPerSecond, allFailureBurst).left >= 1 &&
		(!known || one.at(now, failuresPerSecond, failureBurst).left >= 1)
}

// Fail counts a wrong key from the address, and reports whether it is to be answered as such.
func (f *Failures) Fail(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.all = f.all.at(now, allFailuresPerSecond, allFailureBurst)
	if f.all.left < 1 {
		return false // nor is the address remembered, so that addresses without number displace no others
	}
	from = network(from)
	one, known := f.addresses[from]
	if !known {
		f.makeRoomLocked()
		one = bucket{left: failureBurst, seen: now}
	}
	one = one.at(now, failuresPerSecond, failureBurst)
	allowed := one.left >= 1
	if allowed {
		one.left--
		f.all.left--
	}
	f.addresses[from] = one
	return allowed
}

// at is the bucket as it has filled until now.
func (b bucket) at(now time.Time, perSecond, burst float64) bucket {
	if !b.seen.IsZero() {
		b.left = min(burst, b.left+perSecond*now.Sub(b.seen).Seconds())
	}
	b.seen = now
	return b
}

// makeRoomLocked forgets the address that has failed last the longest time ago, when there are too many.
func (f *Failures) makeRoomLocked() {
	if len(f.addresses) < mostAddresses {
		return
	}
	var oldest netip.Addr
	var seen time.Time
	for a, b := range f.addresses {
		if seen.IsZero() || b.seen.Before(seen) {
			oldest, seen = a, b.seen
		}
	}
	delete(f.addresses, oldest)
}

// network is what counts of an address.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	prefix, err := a.WithZone("").Prefix(networkBits)
	if err != nil {
		return a
	}
	return prefix.Addr()
}
