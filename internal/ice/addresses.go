package ice

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"

	"boardcast/internal/sdp"
)

// ErrNoInterface tells that no address is left to use.
var ErrNoInterface = errors.New("no address")

// inner are interfaces whose networks are within the machine. The agent leaves them out too, when it chooses by itself.
var inner = []string{"docker*", "veth*", "virbr*", "vnet*"}

// allowed tells whether an interface is used.
func (o *Options) allowed(name string) bool {
	switch {
	case fits(o.LeaveOut, name):
		return false
	case len(o.Interfaces) > 0:
		return fits(o.Interfaces, name)
	}
	return !fits(inner, name)
}

func fits(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// local are the addresses that a viewer's agent uses; nil for all.
func (p *Paths) local(near []netip.Addr) ([]netip.Addr, error) {
	if len(p.opts.Interfaces) == 0 && len(p.opts.LeaveOut) == 0 {
		return near, nil
	}
	all, err := addresses(p.opts.allowed)
	if err != nil {
		return nil, err
	}
	if both := slices.DeleteFunc(slices.Clone(near), func(a netip.Addr) bool { return !slices.Contains(all, a) }); len(both) > 0 {
		return both, nil
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no interface that is up is one of ice.interfaces %q and none of ice.leave-out %q",
			ErrNoInterface, p.opts.Interfaces, p.opts.LeaveOut)
	}
	return all, nil
}

// addresses are those of the interfaces that are allowed, without loopback and link-local ones of IPv6, as the agent takes them.
func addresses(allowed func(name string) bool) ([]netip.Addr, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var list []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagRunning == 0 || i.Flags&net.FlagLoopback != 0 || !allowed(i.Name) {
			continue
		}
		found, err := i.Addrs()
		if err != nil {
			continue // it has gone meanwhile
		}
		for _, a := range found {
			prefix, err := netip.ParsePrefix(a.String())
			if ip := prefix.Addr().Unmap(); err == nil && (ip.Is4() || !ip.IsLinkLocalUnicast()) {
				list = append(list, ip)
			}
		}
	}
	return list, nil
}

// Named tells the path the ufrag by which the agent knows the viewer's checks. It is called before Told.
func (p *Path) Named(ufrag string) {
	if p != nil {
		p.ufrag = ufrag
	}
}

// Told are the ICE candidates that the viewer is told in place of one that the agent has found. There may be none.
func (p *Path) Told(text string) []string {
	if p == nil || p.shared == nil || p.shared.gate == nil && len(p.shared.opts.Advertised) == 0 {
		return []string{text}
	}
	c, ok := sdp.ParseCandidate(text)
	if !ok || c.Type != "host" || c.TCP && c.TCPType != "passive" {
		return []string{text}
	}
	if gate := p.shared.gate; c.TCP && gate != nil {
		if !c.Address.IsLinkLocalUnicast() || c.Address.Is4() { // one of IPv6 is no use without the name of its interface
			gate.serve(p.ufrag, netip.AddrPortFrom(c.Address, c.Port))
		}
		c.Port = uint16(p.shared.opts.TCPPort)
	}
	return p.advertised(c)
}

// advertised is a candidate of our own with the addresses that are told in its place. A viewer in one of our networks is told its own
// address too, and first: a router may not lead back what comes from inside. A container, on the other hand, sees the router's address for
// all viewers, and takes them for its neighbours.
func (p *Path) advertised(c sdp.Candidate) []string {
	own, list := c, []sdp.Candidate(nil)
	for i, a := range p.shared.opts.Advertised {
		if a.Is4() == own.Address.Is4() {
			c.Address = a
			c.Priority = own.Priority - uint32(i) - 1 // below our own, above the next kind of candidate
			list = append(list, c)
		}
	}
	if p.near || len(list) == 0 {
		list = slices.Insert(list, 0, own)
	}
	var told []string
	for _, c := range list {
		key := fmt.Sprint(c.TCP, c.Address, c.Port)
		if !p.told[key] {
			p.told[key] = true
			told = append(told, c.String())
		}
	}
	return told
}
