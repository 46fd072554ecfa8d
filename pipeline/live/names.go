package live

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// maxQuestions is how many names of all viewers may wait. What comes beyond is not looked up: a viewer's own checks find the way too.
const maxQuestions = 32

// lookUpLimit bounds the look-up of one name: an answer by mDNS takes milliseconds.
const lookUpLimit = 3 * time.Second

// Names looks up the names by mDNS under which browsers hide their addresses, one after the other: however many viewers name however
// many, one thread waits for the system's resolver.
//
// # Concurrency
//
// Run is called once, ask from any goroutine; ask never waits.
type Names struct {
	lookUp    func(ctx context.Context, name string) ([]netip.Addr, error)
	questions chan question
}

type question struct {
	name  string
	found func(netip.Addr)
}

// NewNames asks the system's resolver.
func NewNames() *Names {
	return &Names{
		lookUp: func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		},
		questions: make(chan question, maxQuestions),
	}
}

// ask has found called, from another goroutine, with each address of the name.
func (n *Names) ask(name string, found func(netip.Addr)) {
	if n == nil {
		return
	}
	select {
	case n.questions <- question{name, found}:
	default:
	}
}

// Run answers until ctx ends, and returns nil.
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
		return // a network without mDNS: no news
	}
	const most = 4 // addresses of one name
	for _, a := range all[:min(most, len(all))] {
		q.found(a.Unmap())
	}
}
