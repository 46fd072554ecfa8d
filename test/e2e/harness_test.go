//go:build e2e

package e2e

import (
	"embed"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed testdata
var testdata embed.FS

// servePages serves testdata's pages at an address of the board's side, under the policy that a careful product sends.
func servePages(t testing.TB) (base string, remotes func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	files := http.FileServerFS(testdata)
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.RemoteAddr)
		mu.Unlock()
		w.Header().Set("Content-Security-Policy", "default-src 'self'; connect-src *")
		files.ServeHTTP(w, r)
	}))
	return "http://" + address + "/testdata/", func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// TestHarness proves the harness itself: each browser starts in the second namespace, reaches a server of ours over the
// veth pair, decodes, and everything that other tests read from a page can be read.
func TestHarness(t *testing.T) {
	for _, kind := range []Kind{Chromium, Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			base, remotes := servePages(t)
			page := browsers.Launch(t, kind).Open(t, base+"loop.html")
			stats := page.WaitPlaying(15)
			if stats.Width != 320 || stats.Height != 240 || !strings.HasPrefix(stats.Codec, "video/") {
				t.Errorf("stats = %+v, want 320x240 and a video codec", stats)
			}
			if first, second := page.WaitMoving(); first.Hash == second.Hash || second.Width != 320 || second.Spread() < 20 {
				t.Errorf("pictures %+v and %+v, want two different ones, 320 wide, not blank", first, second)
			}
			if kind == Chromium { // Firefox's AudioContext stands still on a machine without a sound card
				page.WaitSound()
			}
			page.Watch()
			if w := page.WaitWatched(10); !w.SamePC || w.GapMS <= 0 {
				t.Errorf("watched = %+v, want the same connection and a gap", w)
			}
			if !slices.ContainsFunc(page.Console(), func(line string) bool { return strings.Contains(line, "negotiated") }) {
				t.Errorf("console = %q, want the page's line", page.Console())
			}
			for _, remote := range remotes() {
				if !strings.HasPrefix(remote, BrowserAddr+":") {
					t.Errorf("a request came from %s, want %s", remote, BrowserAddr)
				}
			}
		})
	}
}

// TestHarnessPeers proves the classic page and the reference server on one another: two pages play each other in every
// way that the product's tests use.
func TestHarnessPeers(t *testing.T) {
	for name, first := range map[string]url.Values{
		"offers":            {"call": {"b"}, "first": {"offer"}},
		"asks for an offer": {"call": {"b"}, "first": {"request"}},
		"offers twice":      {"call": {"b"}, "first": {"offer"}, "steps": {"2"}},
		"room":              {"room": {"hall"}},
	} {
		t.Run(name, func(t *testing.T) {
			pages, _ := servePages(t)
			ws := startReference(t, "")
			waits := url.Values{"id": {"b"}, "own": {"1"}}
			calls := url.Values{"id": {"a"}, "own": {"1"}}
			maps.Copy(calls, first)
			if first.Has("room") {
				waits["room"] = first["room"]
			}
			b := openClassic(t, pages, ws, waits)
			b.Until(`boardcast.state === "waiting"`, playWithin)
			a := openClassic(t, pages, ws, calls)
			for _, page := range []*Page{a, b} {
				if stats := page.WaitPlaying(10); stats.Width != 160 {
					t.Errorf("stats = %+v, want 160 wide", stats)
				}
				page.WaitMoving()
			}
			a.Close()
			if first.Has("room") {
				b.Until(`boardcast.left[0] === "a"`, callWithin)
			} else {
				b.Until("boardcast.closed === 1000", callWithin)
			}
		})
	}
}
