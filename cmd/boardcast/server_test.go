package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"boardcast/configs"
)

// serve runs `boardcast server` on a free port until the test ends, when it
// must return 0, and returns its address.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"server", "--listen", "127.0.0.1:0"}, args...), stdout, t.Output())
		_ = stdout.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, out) // ends with the pipe
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
		<-drained
	})
	if err != nil {
		t.Fatalf("read the first line: %v", err)
	}
	m := regexp.MustCompile(`^boardcast \S+: open (https?://127\.0\.0\.1:\d+)/ in a browser on this machine\n$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("first line: %q", line)
	}
	return m[1]
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, resp.Status, err)
	}
	return string(body)
}

func TestServer(t *testing.T) {
	t.Setenv("BOARDCAST_SIGNALLING_ID", "garden")
	base := serve(t, "--turn", "turn://u:p%2Fq@turn.example:3478?transport=tcp")
	if got := get(t, http.DefaultClient, base+"/health"); got != "OK\n" {
		t.Errorf("health: %q", got)
	}
	if got := get(t, http.DefaultClient, base+"/"); !strings.Contains(got, "<html") {
		t.Errorf("page: %q", got)
	}
	var page struct {
		Peer       string
		ICEServers []struct {
			URLs                 []string
			Username, Credential string
		}
	}
	if err := json.Unmarshal([]byte(get(t, http.DefaultClient, base+"/config.json")), &page); err != nil {
		t.Fatal(err)
	}
	if s := page.ICEServers; page.Peer != "garden" || len(s) != 1 || s[0].Credential != "p/q" || s[0].URLs[0] != "turn:turn.example:3478?transport=tcp" {
		t.Errorf("page settings: %+v", page)
	}
	hello(t, websocket.DefaultDialer, strings.Replace(base, "http", "ws", 1)+"/ws")
	var status map[string]any
	if err := json.Unmarshal([]byte(get(t, http.DefaultClient, base+"/api/status")), &status); err != nil {
		t.Fatal(err)
	}
	if status["version"] != buildVersion() || status["signalling"] == nil {
		t.Errorf("status: %v", status)
	}
}

// hello registers a peer and leaves its connection open to the end, which the
// server has to survive.
func hello(t *testing.T, dialer *websocket.Dialer, url string) {
	t.Helper()
	ws, resp, err := dialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.WriteMessage(websocket.TextMessage, []byte("HELLO 1")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := ws.ReadMessage(); err != nil || string(got) != "HELLO" {
		t.Errorf("answer to HELLO: %q, %v", got, err)
	}
}

func TestServerTLS(t *testing.T) {
	cert, key, roots := makeCertificate(t)
	base := serve(t, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(base, "https://") {
		t.Errorf("address %s", base)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if got := get(t, client, base+"/health"); got != "OK\n" {
		t.Errorf("health: %q", got)
	}
	hello(t, &websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}, strings.Replace(base, "http", "ws", 1)+"/")
	client.CloseIdleConnections()
}

// makeCertificate makes one for 127.0.0.1.
func makeCertificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}

func TestPortInUse(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"server", "--listen", taken.Addr().String()}, &out, &errs); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	holder := fmt.Sprintf("is in use by %s (pid %d): ", comm(t), os.Getpid()) // the test's own process
	if out.Len() > 0 || !strings.Contains(errs.String(), holder) || !strings.Contains(errs.String(), "boardcast: hint: boardcast runs already: ") ||
		!strings.Contains(errs.String(), "choose another port, for example --listen 127.0.0.1:") {
		t.Errorf("stdout %q, stderr %q; want %q", &out, &errs, holder)
	}
}

// comm is the name that the kernel has for this process.
func comm(t *testing.T) string {
	t.Helper()
	name, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(name))
}

// TestServerReloads runs the server under a service manager's socket. A SIGHUP is refused while the settings have a mistake,
// and else makes it begin again in the same process; the log tells of each.
func TestServerReloads(t *testing.T) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	p := start(t, "sh", "-c", "exec boardcast server --listen 127.0.0.1:0 2>&1")
	settings := filepath.Join(p.Dir, configs.FileName)
	expect := func(words string) {
		t.Helper()
		if line := p.line(t); !strings.Contains(line, words) {
			t.Fatalf("line %q, want %q in it", line, words)
		}
	}
	hangUp := func(text string) {
		t.Helper()
		if err = os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.signal(t, syscall.SIGHUP)
	}
	expect(": open http://127.0.0.1:")
	expect("  open to everybody: ")
	hangUp("log: {leval: debug}\nhosts: {}\n")
	expect(`level=ERROR msg="reload refused: the settings in force stay" error="boardcast.yaml:1: log.leval: unknown key; did you mean log.level?" hint=`)
	expect(`level=ERROR msg="reload refused: the settings in force stay" error="boardcast.yaml:2: hosts: takes a list, not further keys"`)
	hangUp("tls: {cert: nosuch.pem, key: nosuch.pem}\n")
	expect(`level=ERROR msg="reload refused: the settings in force stay" error="load TLS certificate nosuch.pem and key nosuch.pem: open nosuch.pem: `)
	hangUp("log: {level: info}\n")
	expect(`level=INFO msg="reload begun`)
	expect(": open http://127.0.0.1:")
	expect("  open to everybody: ")
	expect(`level=INFO msg="reload done" duration_seconds=`)
	if err = socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var told []string
	for range 3 {
		news := make([]byte, 100)
		n, err := socket.Read(news)
		if err != nil {
			t.Fatalf("told %q: %v", told, err)
		}
		told = append(told, string(news[:n]))
	}
	if want := []string{"READY=1", "RELOADING=1\nWATCHDOG=1", "READY=1"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestAddressLine(t *testing.T) {
	tests := []struct {
		name   string
		urls   []string
		listen string
		want   string
	}{
		{"a network", []string{"http://192.168.1.20:8080/", "http://[fd00::2]:8080/"}, ":8080", "open http://192.168.1.20:8080/ in a browser\n  or http://[fd00::2]:8080/\n"},
		{"kept to this machine", []string{"http://127.0.0.1:8080/"}, "127.0.0.1:8080", "open http://127.0.0.1:8080/ in a browser on this machine\n"},
		{"the same by IPv6", []string{"https://[::1]:8080/"}, "[::1]:8080", "open https://[::1]:8080/ in a browser on this machine\n"},
		{"no network", []string{"http://127.0.0.1:8080/"}, ":8080", "open http://127.0.0.1:8080/ in a browser on this machine (no network is up; "},
		{"no network, all of IPv4", []string{"http://127.0.0.1:8080/"}, "0.0.0.0:8080", "on this machine (no network is up; "},
	}
	for _, tt := range tests {
		var out strings.Builder
		writeAddresses(&out, tt.urls, tt.listen)
		if got := out.String(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q in it", tt.name, got, tt.want)
		}
	}
}
