package web

import (
	"net"
	"net/netip"
	"slices"
)

// Names lists the names by which the machine may be opened: localhost, its own, and those of the settings, of which "*" is none.
func (o Options) Names() []string {
	names := append([]string{"localhost"}, ownNames()...)
	for _, name := range o.Hosts {
		if name != "*" {
			names = append(names, bareName(name))
		}
	}
	if host, _, err := net.SplitHostPort(o.Listen); err == nil {
		if _, err := netip.ParseAddr(host); err != nil && host != "" {
			names = append(names, bareName(host))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// OwnAddresses lists the addresses of the machine's interfaces, those of loopback included.
func OwnAddresses() []netip.Addr { return interfaceAddresses() }
