//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// proxyPage has the configurations.
const proxyPage = "../../docs/REVERSE-PROXY.md"

// proxyCases are the configurations of the page: each is the block of its language with its server name.
var proxyCases = []struct{ name, language, host, path string }{
	{"nginx", "nginx", "cam.example.org", "/"},
	{"nginx below a path", "nginx", "home.example.org", "/cam/"},
	{"caddy", "caddyfile", "cam.example.org", "/"},
	{"caddy below a path", "caddyfile", "home.example.org", "/cam/"},
}

// TestReverseProxies plays the page and WHEP through nginx and Caddy, with the very configurations of docs/REVERSE-PROXY.md, at a name of
// its own and below a path. The link with the key opens the page, whose cookie is for https and for the board's own path. The program must
// take the viewer's address for that of the viewer, not the proxy's.
func TestReverseProxies(t *testing.T) {
	browser := browsers.Launch(t, Chromium, "--ignore-certificate-errors", "--host-resolver-rules=MAP *.example.org "+BoardAddr)
	defer browsers.Shut(browser)
	for _, tt := range proxyCases {
		t.Run(tt.name, func(t *testing.T) {
			settings := filepath.Join(t.TempDir(), "boardcast.yaml")
			writeFile(t, settings, block(t, "yaml", "trusted-proxies"))
			program := StartLocked(t, "--config", settings, "--width", "320", "--height", "240")
			startProxy[tt.language](t, block(t, tt.language, tt.host))
			base := "https://" + tt.host + tt.path

			page := browser.Open(t, strings.TrimSuffix(base, "/")+"?key="+program.keys.viewer)
			page.Arrived("!!globalThis.boardcast && location.href === " + strconv.Quote(base))
			if stats := page.WaitPlaying(30); stats.Width != 320 {
				t.Errorf("stats = %+v, want 320 wide", stats)
			}
			page.WaitMoving()
			assertViewers(t, program, 1)
			program.WaitLine("stderr", regexp.MustCompile(`msg="viewer connected" .*way=page address=`+regexp.QuoteMeta(BrowserAddr)+` `), callWithin)
			page.Close()
			assertViewers(t, program, 0)

			checkCookie(t, tt.host+tt.path, program.keys.viewer)
			checkGuess(t, program, tt.host+tt.path)
			playWHEP(t, browser, program, base)
		})
	}
}

// TestStrangerBehindNoProxy sends a proxy's header without being one: it counts for nothing.
func TestStrangerBehindNoProxy(t *testing.T) {
	program := StartServer(t, "--trusted-proxy", "127.0.0.1", "--log-level", "debug")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.Address+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	line, _ := program.WaitLine("stderr", regexp.MustCompile(`msg=request .*path=/health .*address=(\S+)`), callWithin)
	if strings.HasPrefix(line[1], "203.") {
		t.Errorf("a stranger's word is believed: %s", line[0])
	}
}

// checkCookie opens the link with the key through the proxy, and looks at the cookie that comes back.
func checkCookie(t *testing.T, at, key string) {
	t.Helper()
	resp := throughProxy(t, at+"?key="+key, nil) //nolint:bodyclose // throughProxy has closed it
	cookies := resp.Cookies()
	if len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].Path != "" || cookies[0].Domain != "" {
		t.Errorf("cookies %v, want one for https, for the folder that it comes from", cookies)
	}
}

// checkGuess tries a wrong key through the proxy and says to be somebody else. The program counts and logs whose key it really was: the
// test's own.
func checkGuess(t *testing.T, program *Program, at string) {
	t.Helper()
	lie := http.Header{"X-Forwarded-For": {"203.0.113.9"}, "Forwarded": {"for=203.0.113.9"}, "X-Real-Ip": {"203.0.113.9"}}
	//nolint:bodyclose // throughProxy has closed it
	if resp := throughProxy(t, at+"?key=wrong", lie); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong key is answered %d", resp.StatusCode)
	}
	line, _ := program.WaitLine("stderr", regexp.MustCompile(`msg="request refused" .*address=(\S+)`), callWithin)
	if line[1] != BoardAddr {
		t.Errorf("the wrong key is counted for %s, want %s", line[1], BoardAddr)
	}
}

// throughProxy asks the proxy for an address without a scheme, by https. The answer's body is closed.
func throughProxy(t *testing.T, at string, header http.Header) *http.Response {
	t.Helper()
	toProxy := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", BoardAddr+":443")
	}
	trust := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is the test's own
	transport := &http.Transport{DialContext: toProxy, TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// playWHEP plays by WHEP through the proxy: the Location has to lead through the proxy too.
func playWHEP(t *testing.T, browser *Browser, program *Program, base string) {
	t.Helper()
	page := browser.Open(t, base+"?key="+program.keys.viewer)
	page.Arrived("!!globalThis.boardcast")
	page.Eval("boardcast.pc?.close(); null", nil)
	page.Eval(whepInPage(base+"whep"), nil)
	page.Until(`whep.pc.connectionState === "connected"`, playWithin)
	page.Until(`[...(await whep.pc.getStats()).values()].some((s) => s.type === "inbound-rtp" && s.framesDecoded > 10)`, playWithin)
	var location string
	page.Eval("whep.session", &location)
	if !strings.HasPrefix(location, base+"whep/") {
		t.Errorf("the session is at %s, want it below %swhep/", location, base)
	}
	var status int
	page.Eval(`fetch(whep.session, { method: "DELETE" }).then((answer) => answer.status)`, &status)
	if status != http.StatusOK {
		t.Errorf("DELETE answered %d", status)
	}
	page.Close()
	assertViewers(t, program, 0)
}

// whepInPage is a player of WHEP for a page of the product's own, whose policy allows no other site's script.
func whepInPage(at string) string {
	return `(async () => {
		const pc = new RTCPeerConnection();
		for (const kind of ["video", "audio"]) pc.addTransceiver(kind, { direction: "recvonly" });
		await pc.setLocalDescription();
		await new Promise((done) => { pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); });
		const url = "` + at + `";
		const body = pc.localDescription.sdp;
		const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body });
		if (answer.status !== 201) throw new Error("POST answered " + answer.status + ": " + await answer.text());
		globalThis.whep = { pc, session: new URL(answer.headers.get("Location"), url).href };
		await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
		return null;
	})()`
}

// block is the one block of that language in the page that has the text in it.
func block(t *testing.T, language, text string) string {
	t.Helper()
	page, err := os.ReadFile(proxyPage)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(m[1], text) {
			found = append(found, m[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks of %s with %q, want one", proxyPage, len(found), language, text)
	}
	return found[0]
}
