package web

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReachable(t *testing.T) {
	tests := []struct {
		name   string
		listen string
		own    []string
		want   []string
	}{
		{
			"everything",
			"[::]:8080",
			[]string{"127.0.0.1", "::1", "fe80::1", "fd00::2", "169.254.7.7", "192.168.1.5", "2001:db8::5", "10.0.0.9"},
			[]string{"192.168.1.5:8080", "10.0.0.9:8080", "169.254.7.7:8080", "[fd00::2]:8080", "[2001:db8::5]:8080"},
		},
		{"nothing but loopback", "0.0.0.0:8080", []string{"127.0.0.1", "::1"}, []string{"127.0.0.1:8080"}},
		{"nothing but link-local", "[::]:8080", []string{"::1", "fe80::1"}, []string{"127.0.0.1:8080"}},
		{"no interface", "[::]:80", nil, []string{"127.0.0.1:80"}},
		{"IPv6 alone", "[::]:8080", []string{"::1", "2001:db8::5"}, []string{"[2001:db8::5]:8080"}},
		{"one address asked for", "192.168.1.5:8080", []string{"10.0.0.9"}, []string{"192.168.1.5:8080"}},
		{"loopback asked for", "127.0.0.1:8080", []string{"10.0.0.9"}, []string{"127.0.0.1:8080"}},
		{"mapped", "[::ffff:10.0.0.9]:8080", nil, []string{"10.0.0.9:8080"}},
		{"twice the same", "[::]:1", []string{"10.0.0.9", "10.0.0.9"}, []string{"10.0.0.9:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var own []netip.Addr
			for _, a := range tt.own {
				own = append(own, netip.MustParseAddr(a))
			}
			var got []string
			for _, a := range reachable(netip.MustParseAddrPort(tt.listen), own) {
				got = append(got, a.String())
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAddressesOfThisMachine(t *testing.T) {
	got := Addresses(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8080})
	if len(got) == 0 {
		t.Fatal("none: loopback at least is always there")
	}
	for _, a := range got {
		if a.Port() != 8080 || !a.Addr().IsValid() || a.Addr().Zone() != "" || a.Addr().Is4In6() {
			t.Errorf("%v cannot be opened", a)
		}
	}
	if Addresses(&net.UnixAddr{Name: "/run/x", Net: "unix"}) != nil {
		t.Error("a socket file has no address to open")
	}
}
