package doctor

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Beginnings of the names of interfaces whose networks are within the machine. No other machine reaches their addresses.
var (
	leftOut = []string{"docker", "veth", "virbr", "vnet"}                         // libnice, as most distributions build it, does not offer them
	inner   = []string{"br-", "lxc", "lxdbr", "cni", "podman", "flannel", "cali"} // libnice offers them
)

// offer is an address that viewers would be offered, with its interface.
type offer struct {
	name string
	addr netip.Addr
}

// candidates checks the addresses that viewers would be offered. It asks no server.
func candidates(_ context.Context, x *exam) Result {
	interfaces, err := x.Interfaces()
	if err != nil {
		return warn("the network interfaces can't be listed: "+err.Error(), "`ip address` may say why")
	}
	offers, out := offered(interfaces)
	text := x.describe(offers)
	const connect = "connect the board to your network; `ip address` shows what it has"
	all := func(ok func(offer) bool) bool {
		return !slices.ContainsFunc(offers, func(o offer) bool { return !ok(o) })
	}
	switch {
	case len(offers) == 0 && len(out) > 0:
		return fail("no address to offer: only "+strings.Join(out, ", ")+", which WebRTC leaves out", connect)
	case len(offers) == 0:
		return fail("no address to offer: no network is up", connect)
	case all(func(o offer) bool { return begins(o.name, inner) }):
		return warn(text+"; a network within this machine only", connect)
	case all(func(o offer) bool { return o.addr.IsLinkLocalUnicast() }):
		return warn(text+"; an address of its own making: no router gave it one", connect)
	case x.container() && len(x.request.TURN) == 0 && len(x.request.Told) == 0 && all(func(o offer) bool { return containerNet.Contains(o.addr) }):
		return warn(text+"; probably the container's own network, which other machines do not reach",
			"start the container with --network host, or publish ice.port and name the host's address in ice.addresses, "+
				"or name a TURN server: --turn")
	}
	return fine("%s", text)
}

// containerNet is the range from which Docker takes the networks of its containers.
var containerNet = netip.MustParsePrefix("172.16.0.0/12")

// offered picks the addresses that libnice offers (nice_interfaces_get_local_ips): those of interfaces that are up and running, without
// loopback and link-local IPv6. out are the names of the interfaces that libnice leaves out.
func offered(interfaces []Interface) (list []offer, out []string) {
	for _, i := range interfaces {
		if !i.Running || i.Loopback || len(i.Addresses) == 0 {
			continue
		}
		if begins(i.Name, leftOut) {
			out = append(out, i.Name)
			continue
		}
		for _, a := range i.Addresses {
			if !a.Is6() || !a.IsLinkLocalUnicast() {
				list = append(list, offer{i.Name, a})
			}
		}
	}
	return list, out
}

func begins(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// describe lists for people what viewers would be offered.
func (x *exam) describe(offers []offer) string {
	var parts []string
	for _, o := range offers {
		parts = append(parts, o.addr.String()+" ("+o.name+")")
	}
	var text strings.Builder
	text.WriteString(strings.Join(parts, ", "))
	if len(x.request.Told) > 0 {
		text.WriteString("; viewers elsewhere are told " + strings.Join(x.request.Told, ", "))
	}
	if x.request.STUN != "" {
		text.WriteString("; the router's address, by " + server(x.request.STUN))
	}
	for _, t := range x.request.TURN {
		text.WriteString("; a relay, by " + server(t))
	}
	if x.request.STUN == "" && len(x.request.TURN) == 0 && len(x.request.Told) == 0 {
		text.WriteString("; no STUN or TURN, so for this network only")
	}
	return text.String()
}

// server is a URL without user, password and path.
func server(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a server"
	}
	return u.Scheme + "://" + u.Host
}
