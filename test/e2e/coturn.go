//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// The ports of the TURN server, and of its relays: none of those that the kernel gives to the board.
const (
	turnPort    = 3478
	turnTLSPort = 5349
	relayFirst  = 20000
	relayLast   = 20999
)

// turnSecret is what the TURN server and the board share.
const turnSecret = "a-secret-that-no-output-may-show"

// TURN is a coturn that runs on the board's side until the end of the test.
type TURN struct {
	Certificate string // the file with its certificate
	*Program
}

// StartTURN runs coturn with a shared secret. It takes UDP and TCP at turnPort, and TLS at turnTLSPort.
func StartTURN(t testing.TB) *TURN {
	t.Helper()
	dir := t.TempDir()
	certificate, key := certify(t, dir)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "turnserver", "-n", "--log-file", "stdout", "--simple-log", "--no-cli", "--no-dtls",
		"--listening-ip", BoardAddr, "--relay-ip", BoardAddr, "--listening-port", strconv.Itoa(turnPort), "--tls-listening-port", strconv.Itoa(turnTLSPort),
		"--min-port", strconv.Itoa(relayFirst), "--max-port", strconv.Itoa(relayLast), "--realm", "e2e.example",
		"--use-auth-secret", "--static-auth-secret", turnSecret, "--cert", certificate, "--pkey", key,
		"--userdb", filepath.Join(dir, "turndb"), "--pidfile", filepath.Join(dir, "pid"), "--verbose")
	p := &Program{t: t, cmd: cmd, exited: make(chan struct{}), ended: true, output: output{changed: make(chan struct{})}}
	cmd.Dir, cmd.WaitDelay = dir, stopWithin
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = &lineWriter{to: &p.output, from: "stdout"}, &lineWriter{to: &p.output, from: "stderr"}
	p.Started = time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatalf("start coturn: %v (hint: the tests need Debian's package coturn)", err)
	}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(p.cleanup)
	p.WaitLine("stdout", regexp.MustCompile(`Total General servers`), startWithin)
	return &TURN{Certificate: certificate, Program: p}
}

// certify makes a certificate for the board's address, and returns it and its key as files.
func certify(t testing.TB, dir string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e"}, IPAddresses: []net.IP{net.ParseIP(BoardAddr)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "turn.crt"), filepath.Join(dir, "turn.key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// allocate asks the TURN server for a relay by UDP, and gives it back. The error is the server's.
func allocate(t testing.TB, user, password string) error {
	t.Helper()
	socket, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", BoardAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }() // nothing is left to send
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: net.JoinHostPort(BoardAddr, strconv.Itoa(turnPort)), Conn: socket, Username: user, Password: password,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		t.Fatal(err)
	}
	relay, err := client.Allocate()
	if err != nil {
		return err
	}
	return relay.Close()
}
