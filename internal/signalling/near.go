package signalling

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// Caller is who opens a session.
type Caller struct {
	ID string // where the protocol does not tell who calls, "caller-1", "caller-2" and so on
	// Near are our addresses on the network that the caller itself is in, nil where that is not known: it came by a proxy, over
	// a router, or to a server elsewhere. It is reached by these; by our others it may not be.
	Near []netip.Addr
}

// near finds out where a request came from.
func near(r *http.Request, local net.Addr) []netip.Addr {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return nil
		}
	}
	ours, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return nil
	}
	theirs, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	networks := make([][]netip.Prefix, len(all))
	for i, one := range all {
		addrs, err := one.Addrs()
		if err != nil {
			return nil
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				networks[i] = append(networks[i], p)
			}
		}
	}
	return neighbours(ours.Addr().Unmap(), theirs.Addr().Unmap(), networks)
}

// neighbours are the addresses of the interface that has ours, if the caller is in its network.
func neighbours(ours, theirs netip.Addr, interfaces [][]netip.Prefix) []netip.Addr {
	if ours.IsLoopback() || ours.IsLinkLocalUnicast() {
		return nil
	}
	isTheirs := func(p netip.Prefix) bool { return p.Addr() == theirs }
	if slices.ContainsFunc(interfaces, func(n []netip.Prefix) bool { return slices.ContainsFunc(n, isTheirs) }) {
		return nil // a proxy on this machine: the caller may be anywhere
	}
	for _, networks := range interfaces {
		if !slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Addr() == ours && p.Contains(theirs) }) {
			continue
		}
		var out []netip.Addr
		for _, p := range networks {
			if !p.Addr().IsLinkLocalUnicast() {
				out = append(out, p.Addr())
			}
		}
		return out
	}
	return nil
}
