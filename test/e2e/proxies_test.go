//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	proxyPage   = "../../docs/REVERSE-PROXY.md"
	proxyWithin = 20 * time.Second // for a proxy to listen: Caddy makes an authority of its own first
)

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
	toProxy := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", BoardAddr+":443")
	}
	trust := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate is the test's own
	transport := &http.Transport{DialContext: toProxy, TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at+"?key="+key, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	cookies := resp.Cookies()
	if len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || cookies[0].Path != "" || cookies[0].Domain != "" {
		t.Errorf("cookies %v, want one for https, for the folder that it comes from", cookies)
	}
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

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startProxy runs a proxy with a configuration of the page, until the end of the test.
var startProxy = map[string]func(t *testing.T, config string){"nginx": startNginx, "caddyfile": startCaddy}

// startNginx adds what Debian's own nginx.conf has around a site, and puts another certificate in the place of the named one.
func startNginx(t *testing.T, config string) {
	dir := t.TempDir()
	certificate, key := makeCertificate(t, dir)
	for named, ours := range map[string]string{
		`ssl_certificate .*;`: "ssl_certificate " + certificate + ";", `ssl_certificate_key .*;`: "ssl_certificate_key " + key + ";",
	} {
		form := regexp.MustCompile(named)
		if len(form.FindAllString(config, -1)) != 1 {
			t.Fatalf("the configuration has no line %s", named)
		}
		config = form.ReplaceAllLiteralString(config, ours)
	}
	around := "daemon off;\nmaster_process off;\nuser root;\npid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		around += kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
	}
	writeFile(t, filepath.Join(dir, "nginx.conf"), around+config+"}\n")
	runProxy(t, dir, "nginx", "-p", dir, "-c", "nginx.conf", "-e", "stderr")
}

// startCaddy has Caddy sign its certificates itself: there is no authority in the tests' network.
func startCaddy(t *testing.T, config string) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "Caddyfile"), "{\n admin off\n local_certs\n skip_install_trust\n}\n"+config)
	runProxy(t, dir, "caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile")
}

// runProxy runs a proxy in a folder, and waits until it listens.
func runProxy(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), proxyProgram(t, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := &output{changed: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &lineWriter{to: said, from: name}, &lineWriter{to: said, from: name}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", name, said.text(began))
		}
	})
	deadline := time.After(proxyWithin)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", BoardAddr+":443"); err == nil {
				_ = c.Close()
				return
			}
		case <-deadline:
			t.Fatalf("%s does not listen:\n%s", name, said.text(began))
		}
	}
}

// proxyProgram finds a proxy that is installed, or was unpacked by test/proxies.sh.
func proxyProgram(t *testing.T, name string) string {
	t.Helper()
	for _, place := range []string{name, "../../bin/proxies/usr/sbin/" + name, "../../bin/proxies/usr/bin/" + name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(place); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path
			}
		}
	}
	t.Fatalf("no %s here: test/proxies.sh fetches it", name)
	return ""
}

// makeCertificate writes a certificate for any name, and its key.
func makeCertificate(t *testing.T, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"*.example.org"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	return certificate, key
}
