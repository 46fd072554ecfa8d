//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxyWithin is how long a proxy may take until it listens: Caddy makes an authority of its own first.
const proxyWithin = 20 * time.Second

// startProxy runs a proxy with a configuration of the page, until the end of the test.
var startProxy = map[string]func(t testing.TB, config string){"nginx": startNginx, "caddyfile": startCaddy}

// startNginx adds what Debian's own nginx.conf has around a site, and puts another certificate in the place of the named one.
func startNginx(t testing.TB, config string) {
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
	lines := []string{
		"daemon off;", "master_process off;", "user root;", "pid nginx.pid;", "error_log stderr;", "events {}", "http {", "access_log off;",
	}
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		lines = append(lines, kind+"_temp_path "+filepath.Join(dir, kind)+";")
	}
	writeFile(t, filepath.Join(dir, "nginx.conf"), strings.Join(append(lines, config, "}"), "\n")+"\n")
	runProxy(t, dir, "nginx", "-p", dir, "-c", "nginx.conf", "-e", "stderr")
}

// startCaddy has Caddy sign its certificates itself: there is no authority in the tests' network.
func startCaddy(t testing.TB, config string) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "Caddyfile"), "{\n admin off\n local_certs\n skip_install_trust\n}\n"+config)
	runProxy(t, dir, "caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile")
}

// runProxy runs a proxy in a folder, and waits until it listens.
func runProxy(t testing.TB, dir, name string, args ...string) {
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
func proxyProgram(t testing.TB, name string) string {
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
func makeCertificate(t testing.TB, dir string) (certificate, key string) {
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

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
