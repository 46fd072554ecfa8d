package whip

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
)

// friend is the origin that is allowed.
const friend = "https://friend.example"

func newTestEndpoint(m *fakeMedia) *Endpoint {
	return NewEndpoint(EndpointOptions{
		Media: m,
		ICEServers: func() []ICEServer {
			return []ICEServer{
				{URL: "stun:stun.example:3478"},
				{URL: "turn:turn.example:3478?transport=tcp", Username: "user", Credential: `p"\w`},
			}
		},
		Allowed: func(r *http.Request) bool { return r.Header.Get("Origin") == friend },
	})
}

// ask sends one request; headers are name, value, name, value.
func ask(t *testing.T, h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// watch makes a session and returns the answer.
func watch(t *testing.T, e *Endpoint) *httptest.ResponseRecorder {
	t.Helper()
	w := ask(t, e, "POST", Path, offerText, "Content-Type", sdpType)
	if w.Code != http.StatusCreated {
		t.Fatalf("POST answered %d %s", w.Code, w.Body)
	}
	return w
}

func TestCreate(t *testing.T) {
	m := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
	e := newTestEndpoint(m)
	w := ask(t, e, "POST", Path, offerText, "Content-Type", "application/sdp; charset=utf-8", "Origin", friend)
	if w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	id, below := strings.CutPrefix(w.Header().Get("Location"), "whep/")
	if !below || len(id) < 26 {
		t.Errorf("Location %q, want a name below %s that cannot be guessed", w.Header().Get("Location"), Path)
	}
	if tag := w.Header().Get("ETag"); len(tag) < 26 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.Contains(tag, id) {
		t.Errorf("ETag %s, want a strong one", tag)
	}
	for name, want := range map[string][]string{
		"Content-Type":                  {"application/sdp"},
		"Accept-Patch":                  {"application/trickle-ice-sdpfrag"},
		"Cache-Control":                 {"no-store"},
		"Vary":                          {"Origin"},
		"Access-Control-Allow-Origin":   {friend},
		"Access-Control-Expose-Headers": {"Accept-Patch, ETag, Link, Location, Retry-After"},
		"Link": {
			`<stun:stun.example:3478>; rel="ice-server"`,
			`<turn:turn.example:3478?transport=tcp>; rel="ice-server"; username="user"; credential="p\"\\w"; credential-type="password"`,
		},
	} {
		if diff := cmp.Diff(want, w.Header().Values(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got, want := w.Body.String(), withCandidates(answerText, []sdp.Message{{Candidate: udp}, {Candidate: tcp}}, true); got != want {
		t.Errorf("answer:\n%s\nwant:\n%s", got, want)
	}
	if s := m.last(t); s.peer != "whep-1" || cmp.Diff([]string{"offer"}, s.heard()) != "" {
		t.Errorf("session %s heard %q", s.peer, s.heard())
	}
	if first, second := w.Header().Get("Location"), watch(t, e).Header().Get("Location"); first == second {
		t.Error("two sessions share a name")
	}
}

func TestCreateRefuses(t *testing.T) {
	inactive := strings.Replace(offerText, "a=recvonly", "a=inactive", 1)
	sendonly := strings.Replace(offerText, "a=recvonly", "a=sendonly", 1)
	nothing := strings.ReplaceAll(answerText, "a=sendonly", "a=inactive")
	ends := func(s *fakeSession, _ func(sdp.Message)) { s.Close() }
	refuses := func(s *fakeSession, send func(sdp.Message)) {
		send(sdp.Message{Error: "section 0 (video): a=fmtp:103: no"})
		s.Close()
	}
	cases := []struct {
		name       string
		media      *fakeMedia
		typ, body  string
		wantCode   int
		wantHeader [2]string
		wantBody   string
		opened     bool // the media heard of it
	}{
		{"no type", &fakeMedia{}, "", offerText, 415, [2]string{"Accept-Post", sdpType}, "application/sdp", false},
		{"JSON", &fakeMedia{}, "application/json", offerText, 415, [2]string{"Accept-Post", sdpType}, "", false},
		{"a form, which any page may send", &fakeMedia{}, "text/plain", offerText, 415, [2]string{}, "", false},
		{"type that is none", &fakeMedia{}, "application/", offerText, 415, [2]string{}, "", false},
		{"empty", &fakeMedia{}, sdpType, "", 400, [2]string{}, "malformed", false},
		{"rubbish", &fakeMedia{}, sdpType, "hello", 400, [2]string{}, "malformed", false},
		{"no section", &fakeMedia{}, sdpType, head + ice, 400, [2]string{}, "no media section", false},
		{"too large", &fakeMedia{}, sdpType, offerText + strings.Repeat("a=x\r\n", maxSDP/5), 413, [2]string{}, "65536 bytes", false},
		{"a rejected section, which may be anything", &fakeMedia{refuse: ErrFull}, sdpType, strings.Replace(inactive, "m=video 9", "m=video 0", 1), 503, [2]string{}, "as many viewers", false},
		{"sends", &fakeMedia{}, sdpType, sendonly, 422, [2]string{}, "sendonly", false},
		{"inactive", &fakeMedia{}, sdpType, inactive, 422, [2]string{}, "inactive", false},
		{"data alone", &fakeMedia{}, sdpType, head + ice + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", 422, [2]string{}, "neither", false},
		{"no codec in common", &fakeMedia{script: ends}, sdpType, offerText, 422, [2]string{}, "H264 or VP8", true},
		{"a reason of the media's", &fakeMedia{script: refuses}, sdpType, offerText, 422, [2]string{}, "a=fmtp:103", true},
		{"an answer that sends nothing", &fakeMedia{script: says(sdp.TypeAnswer, nothing)}, sdpType, offerText, 422, [2]string{}, "", true},
		{"full", &fakeMedia{refuse: ErrFull}, sdpType, offerText, 503, [2]string{"Retry-After", "10"}, "as many viewers", false},
		{"starting", &fakeMedia{refuse: ErrLater}, sdpType, offerText, 503, [2]string{"Retry-After", "1"}, "not ready", false},
		{"broken", &fakeMedia{refuse: errors.New("secret detail")}, sdpType, offerText, 500, [2]string{}, "cannot be made", false},
		{"media that hang", &fakeMedia{}, sdpType, offerText, 503, [2]string{"Retry-After", "1"}, "in time", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newTestEndpoint(c.media)
				begin := time.Now()
				w := ask(t, e, "POST", Path, c.body, "Content-Type", c.typ)
				if took := time.Since(begin); took > answerLimit {
					t.Errorf("took %v", took)
				}
				if w.Code != c.wantCode || !strings.Contains(w.Body.String(), c.wantBody) || strings.Contains(w.Body.String(), "secret") {
					t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.wantCode, c.wantBody)
				}
				if name := c.wantHeader[0]; name != "" && w.Header().Get(name) != c.wantHeader[1] {
					t.Errorf("%s %q, want %q", name, w.Header().Get(name), c.wantHeader[1])
				}
				if w.Header().Get("Location") != "" || len(e.sessions) != 0 {
					t.Errorf("a session at %q, %d kept", w.Header().Get("Location"), len(e.sessions))
				}
				if got := len(c.media.all()); got != 0 != c.opened {
					t.Errorf("%d sessions opened", got)
				}
				for _, s := range c.media.all() {
					if !s.closed() {
						t.Error("the session is left behind")
					}
				}
			})
		})
	}
}

func TestOffersAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEndpoint(&fakeMedia{})
		codes := make(chan int, maxOffers+1)
		for range maxOffers {
			go func() { codes <- ask(t, e, "POST", Path, offerText, "Content-Type", sdpType).Code }()
		}
		synctest.Wait()
		w := ask(t, e, "POST", Path, offerText, "Content-Type", sdpType)
		if w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "at once") {
			t.Errorf("%d %q %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		for range maxOffers {
			<-codes
		}
	})
}

func TestMethods(t *testing.T) {
	const onEndpoint, onSession = "GET, HEAD, OPTIONS, POST", "DELETE, GET, HEAD, OPTIONS, PATCH"
	e := newTestEndpoint(&fakeMedia{script: says(sdp.TypeAnswer, answerText)})
	session := "/" + watch(t, e).Header().Get("Location")
	cases := []struct {
		method, path string
		want         int
		allow        string
	}{
		{"GET", Path, 204, ""},
		{"HEAD", Path, 204, ""},
		{"OPTIONS", Path, 200, onEndpoint},
		{"PUT", Path, 405, onEndpoint},
		{"PATCH", Path, 405, onEndpoint},
		{"DELETE", Path, 405, onEndpoint},
		{"GET", session, 204, ""},
		{"HEAD", session, 204, ""},
		{"OPTIONS", session, 200, onSession},
		{"PUT", session, 405, onSession},
		{"POST", session, 405, onSession},
		{"GET", Path + "/", 204, ""},
		{"OPTIONS", Path + "/", 200, onEndpoint},
		{"GET", Path + "/unknown", 404, ""},
		{"PUT", Path + "/unknown", 404, ""},
		{"PATCH", Path + "/unknown", 404, ""},
		{"DELETE", Path + "/unknown", 404, ""},
		{"OPTIONS", Path + "/unknown", 200, onSession}, // says nothing of which there are
		{"DELETE", session + "/", 404, ""},
	}
	for _, c := range cases {
		t.Run(c.method+" "+strings.Replace(c.path, session, "SESSION", 1), func(t *testing.T) {
			w := ask(t, e, c.method, c.path, "")
			if w.Code != c.want || w.Header().Get("Allow") != c.allow {
				t.Errorf("%d, Allow %q; want %d, %q", w.Code, w.Header().Get("Allow"), c.want, c.allow)
			}
			if c.want < 300 && w.Body.Len() > 0 {
				t.Errorf("a body: %s", w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Error("may be cached")
			}
		})
	}
	if got := ask(t, e, "OPTIONS", Path, "").Header().Get("Accept-Post"); got != sdpType {
		t.Errorf("Accept-Post %q", got)
	}
	if got := ask(t, e, "OPTIONS", session, "").Header().Get("Accept-Patch"); got != fragmentType {
		t.Errorf("Accept-Patch %q", got)
	}
}

func TestOrigins(t *testing.T) {
	e := newTestEndpoint(&fakeMedia{script: says(sdp.TypeAnswer, answerText)})
	session := "/" + watch(t, e).Header().Get("Location")
	for _, path := range []string{Path, session} {
		for _, method := range []string{"OPTIONS", "GET", "POST", "PATCH", "DELETE"} {
			w := ask(t, e, method, path, offerText, "Content-Type", sdpType, "Origin", "https://evil.example",
				"Access-Control-Request-Method", method)
			if w.Code != 403 || w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Vary") != "Origin" {
				t.Errorf("%s %s from elsewhere: %d %v", method, path, w.Code, w.Header())
			}
		}
		asked := ask(t, e, "OPTIONS", path, "", "Origin", friend, "Access-Control-Request-Method", "POST")
		methods := map[string]string{Path: "GET, HEAD, OPTIONS, POST", session: "DELETE, GET, HEAD, OPTIONS, PATCH"}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":      friend,
			"Access-Control-Allow-Methods":     methods[path],
			"Access-Control-Allow-Headers":     "Authorization, Content-Type, If-Match",
			"Access-Control-Max-Age":           "600",
			"Access-Control-Allow-Credentials": "",
		} {
			if got := asked.Header().Get(name); got != want {
				t.Errorf("preflight of %s: %s %q, want %q", path, name, got, want)
			}
		}
		if asked.Code != 200 {
			t.Errorf("preflight of %s: %d", path, asked.Code)
		}
		if plain := ask(t, e, "OPTIONS", path, ""); plain.Header().Get("Access-Control-Allow-Methods") != "" {
			t.Error("what is no preflight is answered like one")
		}
	}
	w := ask(t, NewEndpoint(EndpointOptions{}), "GET", Path, "", "Origin", friend)
	if w.Code != 403 {
		t.Errorf("an endpoint that was told no policy answers %d", w.Code)
	}
}

func TestPatch(t *testing.T) {
	const good = fragmentHead + fragmentICE + "a=" + udp + "\r\na=end-of-candidates\r\n"
	restart := strings.Replace(good, "EsAw", "ysXw", 1)
	password := strings.Replace(good, "P2uY", "xxxx", 1)
	audioToo := good + "m=audio 9 RTP/AVP 0\r\na=mid:1\r\na=" + tcp + "\r\n"
	stranger := "m=video 9 RTP/AVP 0\r\na=mid:9\r\na=" + udp + "\r\n"
	const tag = "THE TAG" // stands for the session's
	cases := []struct {
		name, typ, match, body string
		want                   int
		heard                  []string
	}{
		{"candidates", fragmentType, tag, good, 204, []string{"0 " + udp}},
		{"of two sections", fragmentType, tag, audioToo, 204, []string{"0 " + udp, "1 " + tcp}},
		{"one tag of several", fragmentType, `"other", ` + tag, good, 204, []string{"0 " + udp}},
		{"any tag", fragmentType, "*", good, 204, []string{"0 " + udp}},
		{"any tag as the draft's example writes it", fragmentType, `"*"`, good, 204, []string{"0 " + udp}},
		{"without credentials", fragmentType, tag, fragmentHead + "a=" + udp + "\r\n", 204, []string{"0 " + udp}},
		{"the end alone", fragmentType, tag, fragmentHead + "a=end-of-candidates\r\n", 204, nil},
		{"section that is not there", fragmentType, tag, stranger, 204, nil},
		{"no tag, as some players have it", fragmentType, "", good, 204, []string{"0 " + udp}},
		{"another tag", fragmentType, `"other"`, good, 412, nil},
		{"weak tag", fragmentType, "W/" + tag, good, 412, nil},
		{"restart", fragmentType, "*", restart, 422, nil},
		{"restart under the old tag", fragmentType, tag, restart, 422, nil},
		{"another password", fragmentType, "*", password, 422, nil},
		{"wrong type", sdpType, tag, good, 415, nil},
		{"malformed", fragmentType, tag, "hello", 400, nil},
		{"too large", fragmentType, tag, good + strings.Repeat("a=x\r\n", maxFragment/5), 413, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
			e := newTestEndpoint(m)
			made := watch(t, e)
			headers := []string{"Content-Type", c.typ}
			if c.match != "" {
				headers = append(headers, "If-Match", strings.Replace(c.match, tag, made.Header().Get("ETag"), 1))
			}
			w := ask(t, e, "PATCH", "/"+made.Header().Get("Location"), c.body, headers...)
			if w.Code != c.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.want)
			}
			if w.Code == 204 && (w.Body.Len() > 0 || w.Header().Get("ETag") != "") {
				t.Errorf("204 with %q and ETag %q, want neither", w.Body, w.Header().Get("ETag"))
			}
			if w.Code == 415 && w.Header().Get("Accept-Patch") != fragmentType {
				t.Errorf("Accept-Patch %q", w.Header().Get("Accept-Patch"))
			}
			s := m.last(t)
			if diff := cmp.Diff(append([]string{"offer"}, c.heard...), s.heard()); diff != "" {
				t.Errorf("the session heard (-want +got):\n%s", diff)
			}
			if s.closed() {
				t.Error("the session was ended")
			}
		})
	}
}

func TestDelete(t *testing.T) {
	m := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
	e := newTestEndpoint(m)
	session := "/" + watch(t, e).Header().Get("Location")
	m.last(t).lingers = true
	w := ask(t, e, "DELETE", session, "", "If-Match", `"whatever"`) // section 4.3: the tag does not matter here
	if w.Code != 200 || !m.last(t).hungUp.Load() {
		t.Errorf("%d, hung up: %v", w.Code, m.last(t).hungUp.Load())
	}
	for _, method := range []string{"DELETE", "GET", "PATCH"} {
		if w := ask(t, e, method, session, ""); w.Code != 404 {
			t.Errorf("%s of what is gone: %d", method, w.Code)
		}
	}
}

// The session of a player that never connects, or leaves without a DELETE, is forgotten when its media have ended.
func TestEndedSessionsAreForgotten(t *testing.T) {
	m := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
	e := newTestEndpoint(m)
	session := "/" + watch(t, e).Header().Get("Location")
	m.last(t).Close()
	if w := ask(t, e, "GET", session, ""); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
	for range 50 {
		watch(t, e)
		m.last(t).Close()
	}
	watch(t, e)
	if len(e.sessions) != 1 {
		t.Errorf("%d sessions are kept, want the one that lives", len(e.sessions))
	}
}

// Media with a name take offers under that name. The paths of their sessions are like those of all sessions.
func TestNamedMedia(t *testing.T) {
	first, rear := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}, &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
	e := NewEndpoint(EndpointOptions{Media: first, Named: map[string]Media{"rear": rear}})
	for path, want := range map[string]int{
		Path: 201, Path + "/rear": 201, Path + "/front": 404, Path + "/rear/": 404, Path + "/": 201, Path + "/rear/x": 404,
	} {
		w := ask(t, e, "POST", path, offerText, "Content-Type", sdpType)
		if w.Code != want {
			t.Errorf("POST %s answered %d, want %d", path, w.Code, want)
		}
		if w.Code != 201 {
			continue
		}
		at, err := (&url.URL{Path: path}).Parse(w.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		if code := ask(t, e, "DELETE", at.Path, "").Code; code != 200 {
			t.Errorf("DELETE of the session of %s answered %d", path, code)
		}
	}
	if len(first.sessions) != 2 || len(rear.sessions) != 1 {
		t.Errorf("%d and %d sessions, want two and one", len(first.sessions), len(rear.sessions))
	}
	if w := ask(t, e, "DELETE", Path+"/rear", ""); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("DELETE of a name answered %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// Whoever may not play the media of a name is refused, and is not told by OPTIONS that there are such.
func TestMediaThatOneMayNotPlay(t *testing.T) {
	first, rear := &fakeMedia{script: says(sdp.TypeAnswer, answerText)}, &fakeMedia{script: says(sdp.TypeAnswer, answerText)}
	e := NewEndpoint(EndpointOptions{
		Media: first, Named: map[string]Media{"rear": rear},
		May: func(r *http.Request, name string) bool { return r.Header.Get("Authorization") == "for:"+name },
	})
	for _, c := range []struct {
		method, path, key string
		want              int
	}{
		{"POST", "", "for:", 201},
		{"POST", "/", "for:", 201},
		{"POST", "", "for:rear", 403},
		{"POST", "/rear", "for:rear", 201},
		{"POST", "/rear", "for:", 403},
		{"GET", "/rear", "for:", 403},
		{"GET", "/rear", "for:rear", 204},
		{"POST", "/nobody", "for:", 404},
	} {
		w := ask(t, e, c.method, Path+c.path, offerText, "Content-Type", sdpType, "Authorization", c.key)
		if w.Code != c.want {
			t.Errorf("%s %s with %s answered %d, want %d", c.method, c.path, c.key, w.Code, c.want)
		}
	}
	if len(first.sessions) != 2 || len(rear.sessions) != 1 {
		t.Errorf("%d and %d sessions, want two and one", len(first.sessions), len(rear.sessions))
	}
	there, elsewhere := ask(t, e, "OPTIONS", Path+"/rear", ""), ask(t, e, "OPTIONS", Path+"/nobody", "")
	if diff := cmp.Diff(elsewhere.Header(), there.Header()); there.Code != 200 || diff != "" {
		t.Errorf("OPTIONS of a name without a key answered %d, and otherwise than for no name (-no name +a name):\n%s", there.Code, diff)
	}
}

// An offer that is refused before it reaches the media is logged once, in the words of the answer.
func TestRefusedOfferIsLoggedOnce(t *testing.T) {
	var log logBuffer
	e := NewEndpoint(EndpointOptions{Media: &fakeMedia{}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ask(t, e, "POST", Path, strings.Replace(offerText, "a=recvonly", "a=sendonly", 1), "Content-Type", sdpType)
	if n := strings.Count(log.String(), "section 0 (video): a=sendonly"); n != 1 {
		t.Errorf("the refusal is logged %d times:\n%s", n, &log)
	}
}
