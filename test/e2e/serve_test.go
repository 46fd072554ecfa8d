//go:build e2e

package e2e

import (
	"net"
	"net/http"
	"testing"
)

// serve serves at an address of the board's side until the end of the test, and returns it as host:port.
func serve(t testing.TB, handler http.Handler) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", BoardAddr+":0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // returns when it is closed
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return listener.Addr().String()
}
