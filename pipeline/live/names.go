package live

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// maxQuestions is how many names of all viewers together may wait. Further names are not looked up: such a viewer's own ICE checks still
// tell us its address.
const maxQuestions = 32

// lookUpLimit bounds the time that one name is looked up. An answer by mDNS takes milliseconds.
const lookUpLimit = 3 * time.Second

// maxAddresses is how many addresses of one name are taken. A browser gives each of its addresses a name of its own.
const maxAddresses = 4

// Names looks up the mDNS names behind which browsers hide their addresses, one after the other. So a single thread waits for the
// system's resolver, however many names there are.
//
// # Concurrency
//
// Run is called once, ask from any goroutine; ask never waits.
type Names struct {
	lookUp    func(ctx context.Context, name string) ([]netip.Addr, error)
	questions chan question
}

// question is a name to be looked up.
type question struct {
	name  string
	found func(netip.Addr) // called with each of its addresses
}

// NewNames makes one that asks the system's resolver.
func NewNames() *Names {
	return &Names{
		lookUp: func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		},
		questions: make(chan question, maxQuestions),
	}
}

// ask looks a name up, and calls found with each of its addresses, from another goroutine. A nil Names looks nothing up.
func (n *Names) ask(name string, found func(netip.Addr)) {
	if n == nil {
		return
	}
	select {
	case n.questions <- question{name, found}:
	default:
	}
}

// Run looks names up until ctx ends, and returns nil.
func (n *Names) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case q := <-n.questions:
			n.answer(ctx, q)
		}
	}
}

func (n *Names) answer(ctx context.Context, q question) {
	ctx, cancel := context.WithTimeout(ctx, lookUpLimit)
	defer cancel()
	all, err := n.lookUp(ctx, q.name)
	if err != nil {
		return // a network without mDNS is usual
	}
	for _, a := range all[:min(maxAddresses, len(all))] {
		q.found(a.Unmap())
	}
}
