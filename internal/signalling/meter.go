package signalling

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// meter is a connection that bounds the bytes that are read from it: beyond the allowance reading fails with errTooMany. It is not
// enough to count messages. One message may come in any number of fragments, empty ones too, and the WebSocket library reads
// them all.
type meter struct {
	net.Conn
	bucket bucket // of bytes; belongs to the reading goroutine
}

func newMeter(c net.Conn, bytes Allowance) *meter { return &meter{c, newBucket(bytes, time.Now())} }

// Read implements [net.Conn].
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if !m.bucket.take(time.Now(), n) {
		return 0, errTooMany
	}
	return n, err
}

// NetConn is the connection under the meter. crypto/tls has a method of this name too.
func (m *meter) NetConn() net.Conn { return m.Conn }

// metered puts a meter on a request's connection when the connection is taken over.
type metered struct {
	http.ResponseWriter
	bytes Allowance
}

// Hijack implements [http.Hijacker].
func (m metered) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(m.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	return newMeter(c, m.bytes), buffered, nil
}

// meteredDial is a dialer that puts meters on its connections. A meter counts bytes below TLS, and what a proxy answers counts too.
func meteredDial(dial dialFunc, bytes Allowance) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return newMeter(c, bytes), nil
	}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)
