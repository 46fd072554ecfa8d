package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"boardcast/configs"
	"boardcast/internal/access"
)

// TestRights asks the program's own site, with keys of its own, what each key may.
func TestRights(t *testing.T) {
	keys, err := access.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	front, err := keys.Add(access.Grant{Name: "kitchen", Role: access.Viewer, Cameras: []string{"front"}})
	if err != nil {
		t.Fatal(err)
	}
	base := serveSite(t, keys, map[string]string{"cameras": "front,rear", "listen": "127.0.0.1:0"})
	viewer, owner := keys.Key(access.Viewer), keys.Key(access.Owner)
	for _, c := range []struct {
		name, method, path, key string
		code                    int
		want                    string
	}{
		{"no key", "GET", "config.json", "", 401, "boardcast key"},
		{"a viewer", "GET", "config.json", viewer, 200, `"peer":"front","cameras":["front","rear"]`},
		{"of one camera", "GET", "config.json", front, 200, `"peer":"front","cameras":["front"]`},
		{"the states", "GET", "api/cameras", viewer, 200, `{"name":"front","state":"starting"},{"name":"rear","state":"starting"}`},
		{"the state of one", "GET", "api/cameras", front, 200, `{"cameras":[{"name":"front","state":"starting"}]}`},
		{"a viewer's status", "GET", "api/status", viewer, 403, "owner"},
		{"an owner's status", "GET", "api/status", owner, 200, `"open":false`},
		{"an offer for its camera", "POST", "whep/front", front, 415, ""}, // which comes so far as to be read
		{"an offer for the first, which is its camera", "POST", "whep", front, 415, ""},
		{"an offer for another", "POST", "whep/rear", front, 403, "other cameras"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, strings.NewReader("v=0"))
		if err != nil {
			t.Fatal(err)
		}
		if c.key != "" {
			r.Header.Set("Authorization", "Bearer "+c.key)
		}
		code, body := answerTo(t, r)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, code, body, c.code, c.want)
		}
	}
}

// serveSite serves the streamer's site until the test ends.
func serveSite(t *testing.T, keys *access.Keys, settings map[string]string) (base string) {
	t.Helper()
	cfg, err := configs.Load(configs.Options{Flags: settings})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	all := newStreams(t.Context(), cfg)
	hub, err := newHub(cfg, all, log)
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(cfg, serving{keys: keys}, hub, all, log)
	if _, err := site.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- site.Run(ctx) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return site.URLs()[0]
}

func answerTo(t *testing.T, r *http.Request) (code int, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// fakeViewer is a viewer that is there until it is closed.
type fakeViewer struct {
	done   chan struct{}
	closed int
}

func (v *fakeViewer) Close()                { v.closed++; close(v.done) }
func (v *fakeViewer) Done() <-chan struct{} { return v.done }

// A viewer is closed when its key ends, and is left alone when it goes by itself.
func TestEndWith(t *testing.T) {
	key, v := make(chan struct{}), &fakeViewer{done: make(chan struct{})}
	close(key)
	if endWith(key, v); v.closed != 1 {
		t.Errorf("closed %d times by the end of its key", v.closed)
	}
	gone := &fakeViewer{done: make(chan struct{})}
	close(gone.done)
	if endWith(make(chan struct{}), gone); gone.closed != 0 {
		t.Error("a viewer that has gone was closed")
	}
}
