package signalling

import (
	"net/netip"
	"slices"
	"testing"
)

func TestNeighbours(t *testing.T) {
	networks := [][]netip.Prefix{
		{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
		{netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("fd00::5/64"), netip.MustParsePrefix("fd00::6/64"), netip.MustParsePrefix("fe80::5/64")},
		{netip.MustParsePrefix("10.1.0.1/16")},
	}
	lan := []string{"192.168.1.5", "fd00::5", "fd00::6"}
	for _, c := range []struct {
		name, ours, theirs string
		want               []string
	}{
		{"in the same network", "192.168.1.5", "192.168.1.77", lan},
		{"the same by IPv6", "fd00::5", "fd00::77", lan},
		{"over a router", "192.168.1.5", "8.8.8.8", nil},
		{"by another network than its own", "192.168.1.5", "10.1.0.2", nil},
		{"in the other network", "10.1.0.1", "10.1.200.2", []string{"10.1.0.1"}},
		{"on this machine", "127.0.0.1", "127.0.0.1", nil},
		{"by a proxy on this machine", "192.168.1.5", "192.168.1.5", nil},
		{"by a proxy on this machine, from another of its addresses", "fd00::5", "fd00::6", nil},
		{"by a link-local address", "fe80::5", "fe80::77", nil},
		{"an address that is gone", "192.168.2.5", "192.168.2.77", nil},
	} {
		var got []string
		for _, a := range neighbours(netip.MustParseAddr(c.ours), netip.MustParseAddr(c.theirs), networks) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
