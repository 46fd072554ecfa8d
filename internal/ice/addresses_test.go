package ice

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllowed(t *testing.T) {
	tests := []struct {
		use, leaveOut []string
		yes, no       []string
	}{
		{nil, nil, []string{"eth0", "br-1a2b"}, []string{"docker0", "veth1a", "virbr0", "vnet3"}},
		{[]string{"eth0"}, nil, []string{"eth0"}, []string{"eth1", "eth01", "wlan0"}},
		{[]string{"eth*", "docker0"}, nil, []string{"eth0", "eth12", "docker0"}, []string{"wlan1"}},
		{nil, []string{"wg0", "br-*"}, []string{"eth0", "wg1"}, []string{"wg0", "br-1a2b", "docker0"}},
		{[]string{"en*"}, []string{"enx*"}, []string{"enp3s0"}, []string{"enx00", "wlan0"}},
	}
	for _, tt := range tests {
		o := Options{Interfaces: tt.use, LeaveOut: tt.leaveOut}
		for _, name := range tt.yes {
			if !o.allowed(name) {
				t.Errorf("%q without %q has no %s", tt.use, tt.leaveOut, name)
			}
		}
		for _, name := range tt.no {
			if o.allowed(name) {
				t.Errorf("%q without %q has %s", tt.use, tt.leaveOut, name)
			}
		}
	}
}

// TestLocal asks the running machine, of whose interfaces nothing is known but that loopback is none to use.
func TestLocal(t *testing.T) {
	near := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	if p, err := New(Options{}).Join(near); err != nil || len(p.Local) != 1 {
		t.Errorf("without patterns: %+v, %v", p, err)
	}
	for _, o := range []Options{{Interfaces: []string{"none-such"}}, {LeaveOut: []string{"*"}}} {
		if _, err := New(o).Join(near); !errors.Is(err, ErrNoInterface) {
			t.Errorf("no interface is left: %v", err)
		}
	}
	all, err := addresses(func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.IsLoopback() || a.Is6() && a.IsLinkLocalUnicast() {
			t.Errorf("%s is no address to offer", a)
		}
		p, err := New(Options{Interfaces: []string{"*"}}).Join([]netip.Addr{a, netip.MustParseAddr("192.0.2.1")})
		if err != nil || len(p.Local) != 1 || p.Local[0] != a {
			t.Errorf("a viewer in the network of %s: %+v, %v", a, p, err)
		}
	}
}

const (
	udp4    = "candidate:1 1 UDP 2015363327 192.168.1.5 50000 typ host"
	udp6    = "candidate:2 1 UDP 2015363583 2001:db8::5 50000 typ host"
	passive = "candidate:3 1 TCP 1015021823 192.168.1.5 50000 typ host tcptype passive"
	active  = "candidate:4 1 TCP 1010827775 192.168.1.5 0 typ host tcptype active"
	relayed = "candidate:5 1 UDP 1015021823 198.51.100.9 49152 typ relay raddr 192.168.1.5 rport 50000"
)

func TestTold(t *testing.T) {
	public := []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8"), netip.MustParseAddr("2001:db8::7")}
	near := []netip.Addr{netip.MustParseAddr("192.168.1.5")}
	tests := []struct {
		name string
		opts Options
		near []netip.Addr
		in   []string
		want []string
	}{
		{"nothing set", Options{}, nil, []string{udp4, passive, active, relayed, "x"}, []string{udp4, passive, active, relayed, "x"}},
		{"elsewhere", Options{Advertised: public}, nil, []string{udp4, udp6, relayed}, []string{
			"candidate:1 1 UDP 2015363326 203.0.113.7 50000 typ host",
			"candidate:1 1 UDP 2015363325 203.0.113.8 50000 typ host",
			"candidate:2 1 UDP 2015363580 2001:db8::7 50000 typ host",
			relayed,
		}},
		{"in one of our networks", Options{Advertised: public[:1]}, near, []string{udp4, udp6}, []string{
			udp4, "candidate:1 1 UDP 2015363326 203.0.113.7 50000 typ host", udp6,
		}},
		{"of the other family alone", Options{Advertised: public[2:]}, nil, []string{udp4}, []string{udp4}},
		{"two of ours are one outside", Options{Advertised: public[:1]}, nil, []string{
			udp4, "candidate:9 1 UDP 2015363000 10.0.0.5 50000 typ host",
		}, []string{"candidate:1 1 UDP 2015363326 203.0.113.7 50000 typ host"}},
		{"one TCP port", Options{TCPPort: 8081}, nil, []string{udp4, passive, active}, []string{
			udp4, "candidate:3 1 TCP 1015021823 192.168.1.5 8081 typ host tcptype passive", active,
		}},
		{"one TCP port, outside", Options{TCPPort: 8081, Advertised: public[:1]}, nil, []string{passive}, []string{
			"candidate:3 1 TCP 1015021822 203.0.113.7 8081 typ host tcptype passive",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := New(tt.opts).Join(tt.near)
			if err != nil {
				t.Fatal(err)
			}
			p.Named("abcd")
			var got []string
			for _, text := range tt.in {
				got = append(got, p.Told(text)...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
