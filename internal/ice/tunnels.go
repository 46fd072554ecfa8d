package ice

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// connectWithin is the time to connect to a TURN server, TLS included.
const connectWithin = 10 * time.Second

// tunnels lead to TURN servers by TLS. webrtcbin's agent takes turns:// and then speaks plain TCP to the server's port for TLS
// (libnice 0.1.21). So the agent is told a port on loopback, and what comes in there goes out by TLS. Each server has a tunnel.
type tunnels struct {
	log *slog.Logger
	all map[string]tunnel // by the server's host:port
}

type tunnel struct {
	at   net.Listener // on loopback
	host string       // that the certificate is for
}

// listen opens a tunnel for each URL with turns://.
func (t *tunnels) listen(ctx context.Context, urls []string) error {
	t.all = map[string]tunnel{}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "turns" || t.all[u.Host].at != nil {
			continue
		}
		var config net.ListenConfig
		at, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for TURN by TLS: %w", err)
		}
		t.all[u.Host] = tunnel{at: at, host: u.Hostname()}
	}
	return nil
}

// instead is the URL by which the agent reaches the server of a URL.
func (t *tunnels) instead(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "turns" || t.all[u.Host].at == nil {
		return text
	}
	u.Scheme, u.Host, u.RawQuery = "turn", t.all[u.Host].at.Addr().String(), "transport=tcp"
	return u.String()
}

// run carries connections until ctx ends.
func (t *tunnels) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for server, one := range t.all {
		group.Go(func() error {
			return acceptAll(ctx, one.at, func(ctx context.Context, from net.Conn) { t.carry(ctx, from, server, one.host) })
		})
	}
	return group.Wait()
}

// carry carries one connection of an agent's to a server.
func (t *tunnels) carry(ctx context.Context, from net.Conn, server, host string) {
	dialling, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	dial := tls.Dialer{Config: &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}}
	to, err := dial.DialContext(dialling, "tcp", server)
	if err != nil {
		t.log.Warn("TURN server not reached by TLS", "server", server, "error", err)
		_ = from.Close()
		return
	}
	join(ctx, from, to)
}
