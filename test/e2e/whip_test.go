//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// whipServer is the HTTP half of a WHIP server (RFC 9725), as strict as one may be; a page is the other half.
type whipServer struct {
	page *Page

	mu      sync.Mutex
	log     []string
	refuse  int // answer POSTs with this
	offered string
}

const whipToken = "t0ken"

func (s *whipServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short is no answer for the page
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.URL.Path)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+whipToken:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/moved":
		w.Header().Set("Location", "/whip")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case r.Method == http.MethodPost && s.refuse != 0:
		w.WriteHeader(s.refuse)
	case r.Method == http.MethodPost && r.URL.Path == "/whip":
		s.offered = string(body)
		s.answer(w)
	case r.Method == http.MethodDelete && r.URL.Path == "/session":
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *whipServer) answer(w http.ResponseWriter) {
	quoted, err := json.Marshal(s.offered)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var answer string
	if err := s.page.try("take("+string(quoted)+")", &answer, callWithin); err != nil {
		s.log = append(s.log, err.Error())
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/session")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

// set changes how POSTs are answered.
func (s *whipServer) set(refuse int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = refuse
}

func (s *whipServer) count(line string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.log {
		if l == line {
			n++
		}
	}
	return n
}

// TestWHIP publishes to a server whose media half is a page: over a redirect, with a token; again when the page drops the
// connection and the server refuses for a while; and takes its leave.
func TestWHIP(t *testing.T) {
	tests := []struct {
		name  string
		kind  Kind
		codec string
		want  string
	}{
		{"chromium", Chromium, "auto", "video/H264"},
		{"firefox", Firefox, "vp8", "video/VP8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pages, _ := servePages(t)
			page := browsers.Launch(t, tt.kind).Open(t, pages+"whip.html")
			server := &whipServer{page: page}
			address := serve(t, server)
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the server saw %q\nlast offer:\n%s", server.log, server.offered)
				}
			})
			file := filepath.Join(t.TempDir(), "boardcast.yaml")
			if err := os.WriteFile(file, []byte("whip: {token: "+whipToken+"}\nlog: {level: debug}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			program := StartBoardcast(t, "--config", file, "--codec", tt.codec, "--width", "320", "--height", "240",
				"--whip", "http://"+address+"/moved")
			stats := page.WaitPlaying(90)
			if stats.Width != 320 || stats.Codec != tt.want || !strings.EqualFold(stats.AudioCodec, "audio/opus") {
				t.Errorf("stats = %+v, want %s at 320x240 and audio/opus", stats, tt.want)
			}
			page.WaitMoving()
			if tt.kind == Chromium {
				page.WaitSound()
			}
			for _, wrong := range []string{"a=sendrecv", "a=recvonly", "m=application"} {
				if strings.Contains(server.offered, wrong) {
					t.Errorf("the offer has %s", wrong)
				}
			}
			if tt.kind == Chromium {
				server.set(http.StatusServiceUnavailable)
				page.Eval("drop()", nil)
				waitFor(t, "a POST that is refused", func() bool { return server.count("POST /whip") >= 2 })
				server.set(0)
				page.WaitPlaying(30)
			}
			deleted := server.count("DELETE /session")
			program.Stop()
			waitFor(t, "a farewell", func() bool { return server.count("DELETE /session") > deleted })
			if text := program.text(program.Started); strings.Contains(text, whipToken) {
				t.Error("the token stands in the output")
			}
		})
	}
}

// waitFor polls what another goroutine counts.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(playWithin)
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", playWithin, what)
		}
	}
}
