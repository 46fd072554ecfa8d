package signalling

import (
	"crypto/tls"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// only returns the one connection that s has.
func only(t *testing.T, s *Server) *conn {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if len(s.conns) == 1 {
			return c
		}
	}
	t.Fatalf("%d connections", len(s.conns))
	return nil
}

func TestNothingIsQueuedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{})
		_, dial := newPipeRig(t, s)
		p := dialProbe(t, dial).hello("v")
		c := only(t, s)
		c.send(frame{text: "last"})
		c.finish(websocket.CloseNormalClosure, "first")
		c.finish(websocket.CloseGoingAway, "second")
		c.send(frame{text: "too late"})
		p.expect("< last")
		p.expect("! 1000 first")
	})
}

// Connections are cut under the server's lock. So cutting must not wait for TLS to send its own close.
func TestCutDoesNotWaitForTLS(t *testing.T) {
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	ts.Close()
	cert := ts.TLS.Certificates[0]
	synctest.Test(t, func(t *testing.T) {
		s, n := NewServer(ServerOptions{}), newPipeNet()
		serveHTTP(t, tls.NewListener(n, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}), s)
		runServer(t, s)
		d := websocket.Dialer{
			NetDialContext:  n.Dial,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, //nolint:gosec // it is the clock that is wrong
		}
		ws, resp, err := d.Dial("wss://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		synctest.Wait()
		start := time.Now()
		only(t, s).cut()
		if took := time.Since(start); took > 0 {
			t.Errorf("took %s", took)
		}
		_ = ws.NetConn().(*tls.Conn).NetConn().Close()
	})
}
