package whip

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"boardcast/internal/sdp"
)

const token = "t0ken:with+signs=="

// whipServer is a media server as RFC 9725 describes it, without the media. It checks each request, and notes what is wrong with it in
// complaints.
type whipServer struct {
	scripts []http.HandlerFunc // answer the first POSTs instead
	always  http.HandlerFunc   // answers all other POSTs, if set
	// where the session is, as the Location has it
	location string

	mu         sync.Mutex
	log        []string
	at         []time.Time // of each POST
	complaints []string
	offers     []sdp.Description
	live       bool
	candidates []string
}

const whipTag = `"xyzzy"`

// RoundTrip lets a client reach the server without a network, as a synctest bubble wants it.
func (s *whipServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (s *whipServer) complain(format string, args ...any) {
	s.complaints = append(s.complaints, fmt.Sprintf(format, args...))
}

func (s *whipServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.URL.String())
	switch {
	case err != nil:
		s.complain("%s: %v", r.Method, err)
	case r.Header.Get("Authorization") != "Bearer "+token: // section 4.7.1: on every request
		s.complain("%s with Authorization %q", r.Method, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.at = append(s.at, time.Now())
		if answer := s.script(); answer != nil {
			answer(w, r)
			return
		}
		s.create(w, r, string(body))
	case http.MethodPatch:
		s.patch(w, r, string(body))
	case http.MethodDelete:
		if len(r.Header.Values("If-Match")) > 0 { // section 4.3
			s.complain("DELETE with If-Match")
		}
		s.live = false
		w.WriteHeader(http.StatusOK)
	default:
		s.complain("method %s", r.Method)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *whipServer) script() http.HandlerFunc {
	if len(s.scripts) > 0 {
		next := s.scripts[0]
		s.scripts = s.scripts[1:]
		return next
	}
	return s.always
}

func (s *whipServer) create(w http.ResponseWriter, r *http.Request, text string) {
	offer, err := sdp.Parse(text)
	if err != nil {
		s.complain("offer: %v", err)
	}
	if got := r.Header.Get("Content-Type"); got != "application/sdp" {
		s.complain("Content-Type %q", got)
	}
	for _, section := range offer.Sections { // sections 4.2 and 4.4
		if section.Direction != sdp.SendOnly || section.Mid == "" {
			s.complain("section %+v", section)
		}
	}
	if !strings.Contains(text, "\r\na=candidate:") {
		s.complain("an offer without candidates")
	}
	if s.live {
		s.complain("a second session while the first lives")
	}
	s.live = true
	s.offers = append(s.offers, offer)
	h := w.Header()
	h.Set("Content-Type", "application/sdp")
	h.Set("ETag", whipTag)
	h.Set("Location", s.location)
	h.Add("Link", `<stun:stun.example.net>; rel="ice-server"`)
	h.Add("Link", `<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password"`)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, strings.ReplaceAll(answerText, "sendonly", "recvonly"))
}

func (s *whipServer) patch(w http.ResponseWriter, r *http.Request, text string) {
	f, err := parseFragment(text)
	switch {
	case r.Header.Get("Content-Type") != "application/trickle-ice-sdpfrag":
		s.complain("PATCH of %q", r.Header.Get("Content-Type"))
	case r.Header.Get("If-Match") != whipTag:
		s.complain("PATCH with If-Match %q", r.Header.Get("If-Match"))
	case err != nil:
		s.complain("PATCH: %v", err)
	case !s.live || f.restarts(credentialsOf(s.offers[len(s.offers)-1])) || len(f.credentials) == 0:
		s.complain("PATCH of another session: %q", text)
	}
	for _, section := range f.sections {
		for _, c := range section.candidates {
			s.candidates = append(s.candidates, section.mid+" "+c)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// seen is the log so far.
func (s *whipServer) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *whipServer) posts() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.at)
}

func (s *whipServer) wrong() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.complaints)
}

// status answers with a code and headers: name, value, name, value.
func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}
