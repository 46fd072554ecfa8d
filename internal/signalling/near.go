package signalling

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
)

// Caller is the peer that opens a session.
type Caller struct {
	ID string // the peer's id; "caller-1", "caller-2" and so on where the protocol does not tell it
	// Near are this machine's addresses in the network that the caller is in. The caller can reach these, and perhaps not the
	// machine's other addresses. Near is nil where the caller's network is not known: it came by a proxy, over a router, or to a
	// server elsewhere.
	Near []netip.Addr
	// Address is the address that the connection came from, without a zone. It is the zero Addr where that is not known: the
	// caller is at a server elsewhere, or came by a proxy that is not trusted (the web server takes off the headers of those that
	// are). Anybody can add a proxy's header to a request. So all callers without
	// an address together must be given no more than one address is.
	Address netip.Addr
}

// proxyHeaders are what a reverse proxy adds to a request.
var proxyHeaders = []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"}

// CallerOf describes the sender of a request that net/http serves, without its ID.
func CallerOf(r *http.Request) Caller {
	for _, header := range proxyHeaders {
		if r.Header.Get(header) != "" {
			return Caller{}
		}
	}
	theirs, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return Caller{}
	}
	c := Caller{Address: theirs.Addr().Unmap().WithZone("")}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		c.Near = near(theirs, local)
	}
	return c
}

// near finds this machine's addresses in the network that a request came from. local is the address that the request came to.
func near(theirs netip.AddrPort, local net.Addr) []netip.Addr {
	ours, err := netip.ParseAddrPort(local.String())
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

// neighbours are the addresses of the network interface that has ours, if theirs is in the network of that interface.
func neighbours(ours, theirs netip.Addr, interfaces [][]netip.Prefix) []netip.Addr {
	if ours.IsLoopback() || ours.IsLinkLocalUnicast() {
		return nil
	}
	isTheirs := func(p netip.Prefix) bool { return p.Addr() == theirs }
	if slices.ContainsFunc(interfaces, func(n []netip.Prefix) bool { return slices.ContainsFunc(n, isTheirs) }) {
		return nil // the request came from this machine, perhaps by a proxy: the caller may be anywhere
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
