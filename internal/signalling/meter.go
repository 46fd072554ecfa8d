package signalling

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// meter is a connection of which no more is read than a bucket of bytes gives: then reading ends with errTooMany. Counting
// messages is not enough, since a message may come in any number of fragments, which the WebSocket below us may find empty
// and reads on.
type meter struct {
	net.Conn
	bucket bucket // the reading goroutine's
}

func newMeter(c net.Conn, l Limits) *meter {
	return &meter{c, newBucket(l.Bytes, float64(l.ByteBurst), time.Now())}
}

// Read implements [net.Conn].
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if !m.bucket.take(time.Now(), n) {
		return 0, errTooMany
	}
	return n, err
}

// NetConn is the connection below, as with crypto/tls.
func (m *meter) NetConn() net.Conn { return m.Conn }

// metered hands out a meter when a request's connection is taken over.
type metered struct {
	http.ResponseWriter
	limits Limits
}

// Hijack implements [http.Hijacker].
func (m metered) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(m.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	return newMeter(c, m.limits), buffered, nil
}

// meteredDial is a dialer whose connections are meters. It dials below TLS and through a proxy too.
func meteredDial(dial dialFunc, l Limits) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return newMeter(c, l), nil
	}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)
