package ice

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of all viewers; zero values leave everything to the agent.
type Options struct {
	STUN       string        // stun://host:port
	TURN       []string      // turn[s]://user:password@host:port[?transport=tcp]
	Shared     []string      // TURN servers that share Secret: URLs without a user
	Secret     string        // it must not be logged
	Lifetime   time.Duration // of what is made of Secret
	Ports      Range         // each viewer takes one; the zero value is any
	TCPPort    int           // one TCP port for all viewers; 0 for none
	Advertised []netip.Addr  // what viewers are told in place of our own addresses
	Interfaces []string      // patterns of the names of interfaces whose addresses are used (path.Match); empty for all
	LeaveOut   []string      // the same, of those whose addresses are not
	Logger     *slog.Logger

	now func() time.Time // time.Now, but for tests
}

// Paths is what all viewers share: the ports, the secret, the one TCP port.
//
// # Concurrency
//
// Safe for concurrent use. A nil Paths gives every viewer a Path without any limits.
type Paths struct {
	opts    Options
	ports   *ports
	gate    *gate
	tunnels tunnels
}

// New makes paths. Nothing listens before Listen.
func New(o Options) *Paths {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.now == nil {
		o.now = time.Now
	}
	p := &Paths{opts: o, tunnels: tunnels{log: o.Logger}}
	if o.Ports.First > 0 {
		p.ports = newPorts(o.Ports)
	}
	if o.TCPPort > 0 {
		p.gate = newGate(o.Logger)
	}
	return p
}

// Listen opens the one TCP port, and a port on loopback for each TURN server that wants TLS.
func (p *Paths) Listen(ctx context.Context) error {
	if p.gate != nil {
		if err := p.gate.listen(ctx, fmt.Sprintf(":%d", p.opts.TCPPort)); err != nil {
			return fmt.Errorf("listen for ICE over TCP: %w", err)
		}
	}
	return p.tunnels.listen(ctx, append(p.opts.TURN, p.opts.Shared...))
}

// Run carries what comes in on the ports of Listen until ctx ends.
func (p *Paths) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if p.gate != nil {
		group.Go(func() error { return p.gate.run(ctx) })
	}
	group.Go(func() error { return p.tunnels.run(ctx) })
	return group.Wait()
}

// Path is what one viewer's agent uses. The exported fields do not change.
//
// # Concurrency
//
// One goroutine at a time. A nil Path changes nothing.
type Path struct {
	Port  int          // of UDP, and of TCP; 0 for any
	Local []netip.Addr // the agent uses these alone; nil for all
	STUN  string
	TURN  []string // as webrtcbin takes them, with the viewer's own credentials

	shared *Paths
	near   bool            // the viewer is in a network of ours
	told   map[string]bool // what the viewer was told, each once
	ufrag  string          // of the agent
}

// Join makes the path of a viewer. near are the addresses of ours that the viewer is in one network with; empty for a viewer elsewhere.
// The error wraps ErrNoPort when all ports are taken.
func (p *Paths) Join(near []netip.Addr) (*Path, error) {
	if p == nil {
		return &Path{Local: near}, nil
	}
	path := &Path{STUN: p.opts.STUN, TURN: p.turn(), shared: p, near: len(near) > 0, told: map[string]bool{}}
	var err error
	if path.Local, err = p.local(near); err != nil {
		return nil, err
	}
	if p.ports != nil {
		if path.Port, err = p.ports.take(); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// Leave gives back what the viewer had. It is called once the agent has closed its sockets.
func (p *Path) Leave() {
	if p == nil || p.shared == nil {
		return
	}
	if p.shared.ports != nil {
		p.shared.ports.free(p.Port)
	}
	if p.shared.gate != nil {
		p.shared.gate.forget(p.ufrag)
	}
}
