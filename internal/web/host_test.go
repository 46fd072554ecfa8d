package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A request by a name that is not the machine's is refused on every path.
func TestHost(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	label, _, _ := strings.Cut(own, ".")
	tests := []struct {
		name, host, listen string
		hosts              []string
		want               int
	}{
		{"IPv4", "192.0.2.1:8080", "", nil, 200},
		{"IPv6", "[fd00::1]:8080", "", nil, 200},
		{"IPv6 with a zone", "[fe80::1%25eth0]", "", nil, 200},
		{"IPv4 as a number", "3221225985:8080", "", nil, 421},
		{"localhost", "LocalHost.:8080", "", nil, 200},
		{"localhost as a domain", "x.localhost", "", nil, 421},
		{"our name", own, "", nil, 200},
		{"our name, other case, port and dot", strings.ToUpper(own) + ".:80", "", nil, 200},
		{"our name by multicast DNS", label + ".local:8080", "", nil, 200},
		{"our name in a stranger's domain", label + ".evil.example", "", nil, 421},
		{"a stranger's", "evil.example:8080", "", nil, 421},
		{"a configured one", "Cam.example.:8080", "", []string{"b.example", "cam.example"}, 200},
		{"below a configured one", "x.cam.example", "", []string{"cam.example"}, 421},
		{"any", "evil.example", "", []string{"*"}, 200},
		{"the one that is listened on", "cam.lan:8080", "cam.lan:8080", nil, 200},
		{"none, as of HTTP 1.0", "", ":8080", nil, 200},
		{"a port alone, as the doctor asks", ":8080", ":8080", nil, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := New(Options{Access: open, Listen: tt.listen, Hosts: tt.hosts, Signalling: signalling, WHEP: signalling}).handler()
			for path, ok := range map[string]int{"/": 200, "/health": 200, "/config.json": 200, "/ws": 418, "/whep": 418} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
				r.Host = tt.host
				if path == "/ws" {
					r.Header = handshake()
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				want := ok
				if tt.want == http.StatusMisdirectedRequest {
					want = tt.want
				}
				if w.Code != want {
					t.Errorf("%s: code %d, want %d", path, w.Code, want)
				}
				if want == http.StatusMisdirectedRequest && !strings.Contains(w.Body.String(), "hosts") {
					t.Errorf("%s: the answer does not say what to do: %s", path, w.Body)
				}
				checkHeaders(t, w.Header())
			}
		})
	}
}

func TestNamesFrom(t *testing.T) {
	got := namesFrom([]string{"Board.Lan\n", " ", "pi"})
	if diff := cmp.Diff([]string{"board.lan", "board", "board.local", "pi", "pi", "pi.local"}, got); diff != "" {
		t.Error(diff)
	}
}
