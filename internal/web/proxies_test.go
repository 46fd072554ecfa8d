package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// trustedProxies are those of these tests: on the machine itself, in a network, and in one of IPv6.
var trustedProxies = proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")}

// forwardedCases seed the fuzzing too.
var forwardedCases = []struct {
	name   string
	remote string // where the request comes from
	header string // one a line
	client string // whose request it is
	tls    bool   // the client speaks TLS
}{
	{"a client", "192.0.2.1:4000", "", "192.0.2.1:4000", false},
	{"a client that says to be another", "192.0.2.1:4000", "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: https", "192.0.2.1:4000", false},
	{"the proxy's own request", "127.0.0.1:4000", "", "127.0.0.1:4000", false},
	{"a proxy", "127.0.0.1:4000", "X-Forwarded-For: 203.0.113.9", "203.0.113.9:0", false},
	{"a proxy with TLS", "127.0.0.1:4000", "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: https", "203.0.113.9:0", true},
	{"a proxy with TLS, of a socket", "127.0.0.1:4000", "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: WSS", "203.0.113.9:0", true},
	{"a proxy of IPv6", "[fd00::1]:4000", "X-Forwarded-For: 2001:db8::7", "[2001:db8::7]:0", false},
	{"a proxy by a mapped address", "[::ffff:10.0.0.1]:4000", "X-Forwarded-For: 203.0.113.9", "203.0.113.9:0", false},
	{"a client of the proxy that says to be another", "127.0.0.1:1", "X-Forwarded-For: 198.51.100.1, 203.0.113.9", "203.0.113.9:0", false},
	{"two proxies", "127.0.0.1:1", "X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.5", "203.0.113.9:0", false},
	{"two proxies, in two lines", "127.0.0.1:1", "X-Forwarded-For: 203.0.113.9\nX-Forwarded-For: 10.0.0.5", "203.0.113.9:0", false},
	{"a client beside the proxies", "127.0.0.1:1", "X-Forwarded-For: 10.0.0.7", "10.0.0.7:0", false},
	{"an address with a port", "127.0.0.1:1", "X-Forwarded-For: 203.0.113.9:5555", "203.0.113.9:0", false},
	{"an address in brackets", "127.0.0.1:1", "X-Forwarded-For: [2001:db8::7]:5555", "[2001:db8::7]:0", false},
	{"no address", "127.0.0.1:1", "X-Forwarded-For: unknown", "127.0.0.1:1", false},
	{"no address before a proxy", "127.0.0.1:1", "X-Forwarded-For: 203.0.113.9, _hidden, 10.0.0.5", "10.0.0.5:0", false},
	{"a proxy that tells the scheme alone", "127.0.0.1:1", "X-Forwarded-Proto: https", "127.0.0.1:1", true},
	{"an address that a client may have added", "127.0.0.1:1", "X-Real-Ip: 203.0.113.9", "127.0.0.1:1", false},
	{"RFC 7239", "127.0.0.1:1", `Forwarded: for=203.0.113.9;proto=https;by=10.0.0.5`, "203.0.113.9:0", true},
	{"RFC 7239, quoted", "127.0.0.1:1", `Forwarded: For="[2001:db8::7]:4711" ; Proto="HTTPS"`, "[2001:db8::7]:0", true},
	{"RFC 7239, several", "127.0.0.1:1", `Forwarded: for=198.51.100.1, for="203.0.113.9";host="a,b;for=192.0.2.9", for=10.0.0.5;proto=http`, "203.0.113.9:0", false},
	{"RFC 7239, hidden", "127.0.0.1:1", `Forwarded: for=_x, for=unknown`, "127.0.0.1:1", false},
	{"both, and they agree", "127.0.0.1:1", "Forwarded: for=203.0.113.9;proto=https\nX-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: https", "203.0.113.9:0", true},
	{"both, one by the client", "127.0.0.1:1", "Forwarded: for=198.51.100.1;proto=http\nX-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: https", "127.0.0.1:1", false},
}

func request(t *testing.T, remote, header string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil)
	r.RemoteAddr = remote
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestWhoseRequestItIs(t *testing.T) {
	for _, tt := range forwardedCases {
		t.Run(tt.name, func(t *testing.T) {
			var got *http.Request
			h := trustedProxies.believed(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
			h.ServeHTTP(nil, request(t, tt.remote, tt.header))
			if got.RemoteAddr != tt.client || (got.TLS != nil) != tt.tls {
				t.Errorf("from %s, TLS %t; want %s, %t", got.RemoteAddr, got.TLS != nil, tt.client, tt.tls)
			}
			if tt.client != tt.remote && forwarded(got.Header) {
				t.Errorf("the proxy's headers are left, which the signalling would take for a proxy that is not known: %v", got.Header)
			}
		})
	}
}

// Without the setting the headers are left, so that the signalling sees that there is a proxy.
func TestNoProxyIsBelievedByDefault(t *testing.T) {
	r := request(t, "127.0.0.1:1", "X-Forwarded-For: 203.0.113.9")
	proxies(nil).believed(http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) {
		if got.RemoteAddr != r.RemoteAddr || !forwarded(got.Header) {
			t.Errorf("from %s with %v", got.RemoteAddr, got.Header)
		}
	})).ServeHTTP(nil, r)
}

// A client that comes by http to a proxy that goes on by https has no TLS.
func TestProxyThatAddsTLS(t *testing.T) {
	r := request(t, "127.0.0.1:1", "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: http")
	r.TLS = &tls.ConnectionState{}
	if got := trustedProxies.unwrapped(r); got.TLS != nil {
		t.Error("the client is taken for one of https")
	}
}

// The network in which a proxy came says nothing of the client's, which the signalling goes by.
func TestAddressThatProxyCameToIsNotKept(t *testing.T) {
	s := New(Options{Access: open, Listen: "127.0.0.1:0", Proxies: trustedProxies, Signalling: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if local := r.Context().Value(http.LocalAddrContextKey); local != nil {
			t.Errorf("local address %v", local)
		}
		_, _ = w.Write([]byte(r.RemoteAddr))
	})})
	addr, _ := start(t, s)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Upgrade": {"websocket"}, "X-Forwarded-For": {"203.0.113.9"}}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body [100]byte
	n, _ := resp.Body.Read(body[:])
	if got := string(body[:n]); got != "203.0.113.9:0" {
		t.Errorf("the signalling sees %q", got)
	}
}

// Clients behind a proxy are limited each, and the proxy is not.
func TestClientsBehindProxyAreLimitedEach(t *testing.T) {
	h := trustedProxies.believed(New(Options{Access: open, Hosts: anyHost}).handler())
	ask := func(client string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, "127.0.0.1:1", "X-Forwarded-For: "+client))
		return w.Code
	}
	refused := 0
	for range 2 * requestBurst {
		if ask("203.0.113.9") == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("one client is not limited")
	}
	if code := ask("203.0.113.10"); code != http.StatusOK {
		t.Errorf("another client got %d", code)
	}
}

// FuzzForwarded: what a client may write into a header must never become an address that is not in it, nor one of a believed proxy's clients
// when the request comes from elsewhere.
func FuzzForwarded(f *testing.F) {
	for _, tt := range forwardedCases {
		lines := strings.Split(tt.header+"\n\n", "\n")
		f.Add(lines[0], lines[1])
	}
	f.Fuzz(func(t *testing.T, forwardedText, listedText string) {
		h := http.Header{"Forwarded": {forwardedText}, "X-Forwarded-For": {listedText}}
		r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: h}
		got := trustedProxies.unwrapped(r.WithContext(t.Context()))
		at, err := netip.ParseAddrPort(got.RemoteAddr)
		if err != nil {
			t.Fatalf("%q and %q become the address %q", forwardedText, listedText, got.RemoteAddr)
		}
		if at.Addr().Zone() != "" || at.Addr().Is4In6() {
			t.Errorf("%q and %q become %v, which counts apart from the same address", forwardedText, listedText, at)
		}
		stranger := &http.Request{RemoteAddr: "192.0.2.1:1", Header: h}
		if trustedProxies.unwrapped(stranger) != stranger {
			t.Error("a stranger is believed")
		}
	})
}
