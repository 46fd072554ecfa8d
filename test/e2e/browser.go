//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Kind names a browser.
type Kind string

// The browsers there are.
const (
	Chromium Kind = "chromium"
	Firefox  Kind = "firefox"
)

// commands are the names that a browser may have; an environment variable names another.
var commands = map[Kind]struct {
	env   string
	names []string
}{
	Chromium: {"BOARDCAST_CHROMIUM", []string{"chromium", "chromium-browser", "google-chrome"}},
	Firefox:  {"BOARDCAST_FIREFOX", []string{"firefox-esr", "firefox"}},
}

const launchWithin = 60 * time.Second // Firefox takes 8 s the first time on two busy cores

// Browsers starts browsers in the second namespace, each combination of kind and flags once. Close it at the end.
type Browsers struct {
	network *Network

	mu      sync.Mutex
	bridge  *bridge
	running map[string]*Browser
}

// NewBrowsers starts nothing yet. Without a network the browsers run in this machine's own.
func NewBrowsers(n *Network) *Browsers {
	return &Browsers{network: n, running: map[string]*Browser{}}
}

// Browser is a running browser. Its pages do not share storage.
type Browser struct {
	Kind    Kind
	Version string

	id     int
	bridge *bridge
}

// Launch returns the running browser of that kind and these flags, starting it if there is none.
func (bs *Browsers) Launch(t testing.TB, kind Kind, flags ...string) *Browser {
	t.Helper()
	bs.mu.Lock()
	defer bs.mu.Unlock()
	key := strings.Join(append([]string{string(kind)}, flags...), " ")
	if b, ok := bs.running[key]; ok {
		return b
	}
	if bs.bridge == nil {
		started, err := startBridge(bs.network)
		if err != nil {
			t.Fatal(err)
		}
		bs.bridge = started
	}
	args := append([]string{}, flags...)
	if kind == Chromium {
		args = append(args, "--no-sandbox") // the tests may well be root
	}
	ctx, cancel := context.WithTimeout(t.Context(), launchWithin)
	defer cancel()
	var launched struct {
		ID      int    `json:"id"`
		Version string `json:"version"`
	}
	begin := time.Now()
	request := map[string]any{"kind": kind, "path": executable(t, kind), "args": args}
	if err := bs.bridge.call(ctx, "launch", request, &launched); err != nil {
		t.Fatalf("launch %s: %v", key, err)
	}
	b := &Browser{Kind: kind, Version: launched.Version, id: launched.ID, bridge: bs.bridge}
	t.Logf("launched %s in %v", b.Version, time.Since(begin).Round(time.Millisecond))
	bs.running[key] = b
	return b
}

func executable(t testing.TB, kind Kind) string {
	t.Helper()
	c := commands[kind]
	for _, name := range append([]string{os.Getenv(c.env)}, c.names...) {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no %s here: install one of %v, or set %s", kind, c.names, c.env)
	return ""
}

// Shut ends one browser, for those that only one test needs.
func (bs *Browsers) Shut(b *Browser) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	for key, running := range bs.running {
		if running == b {
			delete(bs.running, key)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), launchWithin)
	defer cancel()
	_ = b.bridge.call(ctx, "closeBrowser", map[string]any{"browser": b.id}, nil) // it ends with the bridge at the latest
}

// Close ends all browsers.
func (bs *Browsers) Close() {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.bridge != nil {
		bs.bridge.close()
	}
}
