package web

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
)

// URLs lists the addresses to open in a browser, the one that most likely works first. It is empty before Listen has succeeded.
func (s *Server) URLs() []string {
	if s.listener == nil {
		return nil
	}
	scheme := "http"
	if s.opts.Certificate != nil {
		scheme = "https"
	}
	var urls []string
	for _, a := range Addresses(s.listener.Addr()) {
		urls = append(urls, scheme+"://"+a.String()+"/")
	}
	return urls
}

// Addresses lists the addresses at which a server that listens on addr can be reached, the one that most likely works first. IPv4
// comes before IPv6. Loopback is listed only when there is nothing else. Link-local IPv6 is never listed, because a browser cannot
// open it. A server that listens on one address has only that one.
func Addresses(addr net.Addr) []netip.AddrPort {
	listen, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return nil
	}
	return reachable(listen, interfaceAddresses())
}

// interfaceAddresses lists the addresses of the interfaces that are up, in the system's order.
func interfaceAddresses() []netip.Addr {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []netip.Addr
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				all = append(all, prefix.Addr().Unmap())
			}
		}
	}
	return all
}

func reachable(listen netip.AddrPort, own []netip.Addr) []netip.AddrPort {
	if ip := listen.Addr().Unmap(); !ip.IsUnspecified() {
		return []netip.AddrPort{netip.AddrPortFrom(ip, listen.Port())}
	}
	usable := slices.DeleteFunc(slices.Clone(own), func(a netip.Addr) bool {
		return a.IsLoopback() || !a.IsValid() || a.Is6() && a.IsLinkLocalUnicast()
	})
	slices.SortStableFunc(usable, func(a, b netip.Addr) int { return cmp.Compare(distance(a), distance(b)) })
	if len(usable) == 0 {
		usable = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	addrs := make([]netip.AddrPort, 0, len(usable))
	for _, a := range slices.Compact(usable) {
		addrs = append(addrs, netip.AddrPortFrom(a, listen.Port()))
	}
	return addrs
}

// distance orders addresses: the lower, the more likely another machine reaches the address.
func distance(a netip.Addr) int {
	switch {
	case a.Is4() && !a.IsLinkLocalUnicast():
		return 0
	case a.Is4(): // 169.254/16: the machines are joined by a cable, without a router
		return 1
	default:
		return 2
	}
}
