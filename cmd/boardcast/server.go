package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"boardcast/configs"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
	"boardcast/pipeline/live"
)

const serverLong = `Runs only the signalling server and the page: no camera, no GStreamer. Peers
that speak the protocol of GStreamer's webrtc-sendrecv demos meet here, such as
boardcast --server. The page plays the peer whose id is camera. GET /health
answers OK.

As a service (Type=notify) it takes up changed settings on SIGHUP: it begins
again in the same process, and its peers register again.`

func newServer(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run only the signalling server and the page",
		Long:  serverLong,
		Example: "  boardcast server\n" +
			"  boardcast server --listen :8443 --tls auto\n" +
			"  boardcast server --listen :8443 --tls-cert cert.pem --tls-key key.pem",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(cmd)
			if err != nil {
				return err
			}
			log := newLogger(cfg, stderr)
			return untilReload(cmd, log, checkFiles, func(ctx context.Context) error { return runServer(ctx, cfg, stdout, log) })
		},
	}
	addSettings(cmd, "listen", "open", "trusted-proxies", "tls.mode", "tls.cert", "tls.key", "ice.stun", "ice.turn", "log.level", "log.format")
	return cmd
}

// serverReply is /api/status of `boardcast server`.
type serverReply struct {
	Version    string           `json:"version"`
	Open       bool             `json:"open"`
	Signalling signalling.Stats `json:"signalling"`
}

// runServer serves until ctx ends.
func runServer(ctx context.Context, cfg *configs.Config, stdout io.Writer, log *slog.Logger) error {
	// This server has no media of its own to protect, and peers come to it from anywhere. So the host name of a request is not
	// checked, nor the port of a page's origin. Each peer needs a key, which may be any.
	anyHost := []string{"*"}
	hub := signalling.NewServer(signalling.ServerOptions{
		Logger: log.With("component", "signalling"), Origins: cfg.Signalling.Origins, Hosts: anyHost, SameHost: true,
		Rights: rightsOf,
	})
	with, err := newServing(cfg, log)
	if err != nil {
		return err
	}
	site := web.New(web.Options{
		Listen: cfg.Page.Listen, Certificate: handshake(with.shown), Proxies: cfg.Page.TrustedProxies, Hosts: anyHost,
		Signalling: hub, Version: buildVersion(),
		Status: func() any { return serverReply{buildVersion(), cfg.Page.Open, hub.Stats()} },
		Access: whoMay(cfg, with.keys, hub),
		Page: web.Page{
			Peer: cmp.Or(cfg.Signalling.ID, defaultID), ICEServers: iceServers(cfg), Talkback: true,
		},
		Logger: log.With("component", "web"),
	})
	if err := listen(site, cfg, with.keys, stdout); err != nil {
		return err
	}
	writeFingerprint(stdout, cfg, with.shown)
	group, ctx := errgroup.WithContext(ctx)
	with.follow(ctx, group)
	group.Go(func() error { return site.Run(ctx) })
	group.Go(func() error { return hub.Run(ctx) })
	group.Go(func() error {
		return keepManagerInformed(ctx, nil, func(live.Status) string { return "serving the page and the signalling" }, log)
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
