package whip

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"boardcast/internal/sdp"
)

// secretQuery is in the URL of every test. It must not be logged.
const secretQuery = "s3cr3t"

type clientBench struct {
	*testing.T
	server *whipServer
	media  *fakeMedia
	log    logBuffer
	stop   func() // ends the client, and waits for it
}

// publishing runs a client and a server inside a synctest bubble. The scripts answer the first POSTs.
func publishing(t *testing.T, scripts []http.HandlerFunc, test func(b *clientBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &clientBench{
			T: t, media: &fakeMedia{script: says(sdp.TypeOffer, answerText)},
			server: &whipServer{scripts: scripts, location: "/sessions/1"},
		}
		b.run("https://media.example/live/whip?key=" + secretQuery)
		test(b)
		b.stop()
		for _, complaint := range b.server.wrong() {
			t.Errorf("the server complains: %s", complaint)
		}
		for _, s := range b.media.all() {
			if !s.closed() {
				t.Error("a session is left behind")
			}
		}
		for _, secret := range []string{secretQuery, token, "myPassword"} {
			if strings.Contains(b.log.String(), secret) {
				t.Errorf("the log tells %q:\n%s", secret, &b.log)
			}
		}
	})
}

func (b *clientBench) run(endpoint string) {
	logger := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := NewClient(ClientOptions{URL: endpoint, Token: token, Transport: b.server, Logger: logger}, b.media)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	b.stop = func() {
		b.Helper()
		cancel()
		if err := <-done; err != nil {
			b.Errorf("Run: %v", err)
		}
	}
	synctest.Wait()
}

// after lets time pass.
func (b *clientBench) after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

const (
	postLine   = "POST https://media.example/live/whip?key=" + secretQuery
	deleteLine = "DELETE https://media.example/sessions/1"
)

func TestClientPublishes(t *testing.T) {
	publishing(t, nil, func(b *clientBench) {
		s := b.media.last(b.T)
		if diff := cmp.Diff([]string{"make an offer", "answer"}, s.heard()); diff != "" {
			b.Errorf("the media heard (-want +got):\n%s", diff)
		}
		s.send(sdp.Message{Candidate: tcp, Section: 1}) // a relay that took its time
		synctest.Wait()
		if diff := cmp.Diff([]string{"1 " + tcp}, b.server.candidates); diff != "" {
			b.Errorf("candidates sent late (-want +got):\n%s", diff)
		}
		b.after(time.Hour)
		if n := len(b.server.posts()); n != 1 {
			b.Errorf("%d POSTs while all is well", n)
		}
		b.stop()
		want := []string{postLine, "PATCH https://media.example/sessions/1", deleteLine}
		if diff := cmp.Diff(want, b.server.seen()); diff != "" {
			b.Errorf("requests (-want +got):\n%s", diff)
		}
		if !strings.Contains(b.log.String(), "stun:stun.example.net turn:turn.example.net?transport=udp") {
			b.Errorf("the log does not note the ICE servers:\n%s", &b.log)
		}
		b.stop = func() {}
	})
}

// Media that end are published anew, after the server has been told.
func TestClientBeginsAnew(t *testing.T) {
	publishing(t, nil, func(b *clientBench) {
		want := []string{postLine}
		for round := range 8 { // each of them was good: the pause does not grow
			b.after(stableAfter)
			b.media.last(b.T).Close()
			b.after(backoffFirst + time.Millisecond)
			want = append(want, deleteLine, postLine)
			if n := len(b.server.posts()); n != round+2 {
				b.Fatalf("%d POSTs after %d sessions that were good", n, round+1)
			}
		}
		if diff := cmp.Diff(want, b.server.seen()); diff != "" {
			b.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestClientReconnectsForEver(t *testing.T) {
	publishing(t, []http.HandlerFunc{status(502)}, func(b *clientBench) {
		b.server.mu.Lock()
		b.server.always = status(502)
		b.server.mu.Unlock()
		b.after(24 * time.Hour)
		posts := b.server.posts()
		longest := time.Duration(0)
		for i := 1; i < len(posts); i++ {
			longest = max(longest, posts[i].Sub(posts[i-1]))
		}
		if longest > backoffMost || longest < backoffMost/2 || len(posts) < 3000 || len(posts) > 10000 {
			b.Errorf("%d attempts in a day, the longest pause %v", len(posts), longest)
		}
		if first := posts[1].Sub(posts[0]); first > backoffFirst {
			b.Errorf("the second attempt came after %v", first)
		}
		if n := strings.Count(b.log.String(), "level=WARN"); n != 1 {
			b.Errorf("warned %d times of the same", n)
		}
		b.server.mu.Lock()
		b.server.always = nil
		b.server.mu.Unlock()
		b.after(backoffMost)
		if diff := cmp.Diff([]string{"make an offer", "answer"}, b.media.last(b.T).heard()); diff != "" {
			b.Errorf("when the server is back (-want +got):\n%s", diff)
		}
	})
}

// A refusal that lasts until somebody changes something is logged as an error, once and with a remedy. The client tries again slowly.
func TestClientIsRefused(t *testing.T) {
	for code, hint := range map[int]string{
		400: "server's log", 401: "whip.token", 403: "whip.token", 404: "path of whip.url", 405: "no WHIP endpoint", 406: "video.codec",
		415: "no WHIP endpoint", 422: "video.codec", 301: "307 or 308", 200: "no WHIP endpoint",
	} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			publishing(t, []http.HandlerFunc{status(code)}, func(b *clientBench) {
				b.server.mu.Lock()
				b.server.always = status(code)
				b.server.mu.Unlock()
				b.after(time.Hour)
				if n := len(b.server.posts()); n < 60 || n > 121 {
					b.Errorf("%d attempts in an hour", n)
				}
				text := b.log.String()
				if strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, hint) || !strings.Contains(text, "server answered") {
					b.Errorf("want one error with the hint %q:\n%.500s", hint, text)
				}
			})
		})
	}
}

func TestClientHeedsRetryAfter(t *testing.T) {
	cases := []struct {
		code        int
		retryAfter  string
		least, most time.Duration
	}{
		{503, "", 0, backoffFirst},
		{503, "120", 2 * time.Minute, 2 * time.Minute},
		{429, "20", 20 * time.Second, 20 * time.Second},
		{409, "7", 7 * time.Second, 7 * time.Second},
		{503, "99999999", retryAfterMost, retryAfterMost},
		{503, "-1", 0, backoffFirst},
		{503, "Fri, 31 Dec 2038 23:59:59 GMT", 0, backoffFirst},
	}
	for _, c := range cases {
		t.Run(c.retryAfter, func(t *testing.T) {
			publishing(t, []http.HandlerFunc{status(c.code, "Retry-After", c.retryAfter)}, func(b *clientBench) {
				b.after(retryAfterMost)
				posts := b.server.posts()
				if len(posts) != 2 {
					b.Fatalf("%d attempts, want 2", len(posts))
				}
				if pause := posts[1].Sub(posts[0]); pause < c.least || pause > c.most+time.Millisecond {
					b.Errorf("the second attempt came after %v, want %v to %v", pause, c.least, c.most)
				}
			})
		})
	}
}

func TestClientFollowsRedirects(t *testing.T) {
	const there = "https://other.example/whip"
	cases := []struct {
		name    string
		scripts []http.HandlerFunc
		want    []string // the first requests
		wrong   string   // what the log says
	}{
		{"307", []http.HandlerFunc{status(307, "Location", there)}, []string{postLine, "POST " + there}, ""},
		{"308 to a path", []http.HandlerFunc{status(308, "Location", "/b")}, []string{postLine, "POST https://media.example/b"}, ""},
		{
			"two in a row",
			[]http.HandlerFunc{status(307, "Location", there), status(307, "Location", "x")},
			[]string{postLine, "POST " + there, "POST https://other.example/x"},
			"",
		},
		{"out of TLS", []http.HandlerFunc{status(307, "Location", "http://other.example/")}, []string{postLine}, "from https to http"},
		{"nowhere", []http.HandlerFunc{status(307)}, []string{postLine}, "can't be used"},
		{"to something else", []http.HandlerFunc{status(307, "Location", "ftp://a/b")}, []string{postLine}, "can't be used"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			publishing(t, c.scripts, func(b *clientBench) {
				if diff := cmp.Diff(c.want, b.server.seen()); diff != "" {
					b.Errorf("requests (-want +got):\n%s", diff)
				}
				if !strings.Contains(b.log.String(), c.wrong) {
					b.Errorf("the log does not say %q:\n%s", c.wrong, &b.log)
				}
			})
		})
	}
	loop := status(307, "Location", "/again")
	publishing(t, []http.HandlerFunc{loop, loop, loop, loop, loop}, func(b *clientBench) {
		if n := len(b.server.posts()); n != 5 || !strings.Contains(b.log.String(), "more than 5 times") {
			b.Errorf("%d requests:\n%s", n, &b.log)
		}
	})
}

// After an answer that cannot be used the client ends the session at the server.
func TestClientRefusesAnswers(t *testing.T) {
	answer := func(typ, location, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typ)
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(body))
		}
	}
	const session = "https://media.example/sessions/1"
	cases := []struct {
		name    string
		script  http.HandlerFunc
		deletes int
		wrong   string
	}{
		{"a page", answer("text/html", session, answerText), 1, "not application/sdp"},
		{"rubbish", answer(sdpType, session, "hello"), 1, "malformed"},
		{"too large", answer(sdpType, session, answerText+strings.Repeat("a=x\r\n", maxSDP/5)), 1, "larger than"},
		{"no Location", answer(sdpType, "", "hello"), 0, "malformed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			publishing(t, []http.HandlerFunc{c.script}, func(b *clientBench) {
				if n := strings.Count(strings.Join(b.server.seen(), "\n"), deleteLine); n != c.deletes {
					b.Errorf("deleted %d times, want %d: %q", n, c.deletes, b.server.seen())
				}
				if diff := cmp.Diff([]string{"make an offer"}, b.media.all()[0].heard()); diff != "" {
					b.Errorf("the media heard (-want +got):\n%s", diff)
				}
				if !strings.Contains(b.log.String(), c.wrong) {
					b.Errorf("the log does not say %q:\n%s", c.wrong, &b.log)
				}
				b.after(backoffMost)
				if n := len(b.server.posts()); n < 2 {
					b.Error("not tried again")
				}
			})
		})
	}
}

// Publishing works although the server does not tell the session's URL.
func TestClientWithoutLocation(t *testing.T) {
	publishing(t, nil, func(b *clientBench) {
		b.stop()
		b.server = &whipServer{}
		b.run("https://media.example/live/whip?key=" + secretQuery)
		b.after(time.Minute)
		if diff := cmp.Diff([]string{postLine}, b.server.seen()); diff != "" {
			b.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// Media that are full, or that do not make an offer, are asked again.
func TestClientWaitsForMedia(t *testing.T) {
	for name, media := range map[string]*fakeMedia{"full": {refuse: ErrFull}, "silent": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &clientBench{T: t, media: media, server: &whipServer{}}
				b.run("https://media.example/live/whip")
				b.after(time.Minute)
				if n := len(b.server.seen()); n != 0 {
					t.Errorf("%d requests without an offer", n)
				}
				media.mu.Lock()
				media.refuse, media.script = nil, says(sdp.TypeOffer, answerText)
				media.mu.Unlock()
				b.after(offerLimit + backoffMost)
				if n := len(b.server.posts()); n != 1 {
					t.Errorf("%d POSTs when the media are there", n)
				}
				b.stop()
			})
		})
	}
}

type deadNetwork struct{}

func (deadNetwork) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

func TestClientOptions(t *testing.T) {
	for _, text := range []string{"", "media.example/whip", "ws://media.example", "https:///whip", "https://a b?" + secretQuery, "%zz" + secretQuery} {
		err := NewClient(ClientOptions{URL: text}, &fakeMedia{}).Run(t.Context())
		if !errors.Is(err, ErrOptions) || strings.Contains(err.Error(), secretQuery) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Without a token there is no Authorization header (section 4.7.1).
func TestClientWithoutToken(t *testing.T) {
	c := NewClient(ClientOptions{}, nil)
	r, err := c.request(t.Context(), http.MethodPost, &url.URL{Scheme: "https", Host: "a"}, sdpType, "x")
	if err != nil || r.Header.Values("Authorization") != nil {
		t.Errorf("%v, %q", err, r.Header.Values("Authorization"))
	}
}
