package ice

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllowed(t *testing.T) {
	tests := []struct {
		patterns []string
		yes, no  []string
	}{
		{nil, []string{"eth0", "docker0"}, nil},
		{[]string{"eth0"}, []string{"eth0"}, []string{"eth1", "eth01", "wlan0"}},
		{[]string{"eth*", "wlan0"}, []string{"eth0", "eth12", "wlan0"}, []string{"wlan1"}},
		{[]string{"-docker0", "-br-*"}, []string{"eth0", "docker1"}, []string{"docker0", "br-1a2b"}},
		{[]string{"en*", "-enx*"}, []string{"enp3s0"}, []string{"enx00", "wlan0"}},
		{[]string{"-enx*", "en*"}, []string{"enp3s0"}, []string{"enx00", "wlan0"}},
	}
	for _, tt := range tests {
		for _, name := range tt.yes {
			if !allowed(tt.patterns, name) {
				t.Errorf("%q leaves %s out", tt.patterns, name)
			}
		}
		for _, name := range tt.no {
			if allowed(tt.patterns, name) {
				t.Errorf("%q takes %s", tt.patterns, name)
			}
		}
	}
}

// TestInterfaces asks the running machine, which has loopback at least.
func TestInterfaces(t *testing.T) {
	near := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	if p, err := New(Options{}).Join(near); err != nil || len(p.Local) != 1 {
		t.Errorf("without patterns: %+v, %v", p, err)
	}
	if _, err := New(Options{Interfaces: []string{"none-such"}}).Join(nil); !errors.Is(err, ErrNoInterface) {
		t.Errorf("no interface fits: %v", err)
	}
	all, err := addresses(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.IsLoopback() || a.Is6() && a.IsLinkLocalUnicast() {
			t.Errorf("%s is no address to offer", a)
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
