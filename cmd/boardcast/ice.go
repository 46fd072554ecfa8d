package main

import (
	"context"
	"log/slog"

	"boardcast/configs"
	"boardcast/internal/ice"
	"boardcast/internal/web"
	"boardcast/internal/whip"
)

// newPaths is how viewers reach this board, as the settings have it. Its ports are open.
func newPaths(ctx context.Context, cfg *configs.Config, log *slog.Logger) (*ice.Paths, error) {
	log = log.With("component", "ice")
	if n := cfg.ICE.Port.Count(); n > 0 && n < cfg.Viewers.Max {
		log.Warn("fewer ports than viewers: those who find no port are refused",
			"ports", n, "viewers_max", cfg.Viewers.Max, "hint", "make ice.port wider, or viewers.max smaller")
	}
	paths := ice.New(iceOptions(cfg, log))
	if err := paths.Listen(ctx); err != nil {
		return nil, hinted{err, "choose another port in ice.tcp-port"}
	}
	return paths, nil
}

func iceOptions(cfg *configs.Config, log *slog.Logger) ice.Options {
	c := cfg.ICE
	return ice.Options{
		STUN: c.STUN.Full(), TURN: full(c.TURN), Shared: full(c.TURNRest), Secret: c.TURNSecret.Full(), Lifetime: c.TURNLifetime,
		Ports: ice.Range{First: c.Port.First, Last: c.Port.Last}, TCPPort: c.TCPPort, Advertised: c.Addresses, Interfaces: c.Interfaces,
		LeaveOut: c.LeaveOut, Logger: log,
	}
}

// full are URLs with their secrets.
func full(urls []configs.URL) []string {
	out := make([]string, 0, len(urls))
	for _, u := range urls {
		out = append(out, u.Full())
	}
	return out
}

// iceServers are the STUN and TURN servers for a browser's next session.
func iceServers(cfg *configs.Config) func() []web.ICEServer {
	paths := ice.New(iceOptions(cfg, nil))
	return func() []web.ICEServer {
		var out []web.ICEServer
		for _, s := range paths.Servers() {
			out = append(out, web.ICEServer{URLs: []string{s.URL}, Username: s.Username, Credential: s.Credential})
		}
		return out
	}
}

// playerServers are the same for a player of WHEP.
func playerServers(cfg *configs.Config) func() []whip.ICEServer {
	paths := ice.New(iceOptions(cfg, nil))
	return func() []whip.ICEServer {
		var out []whip.ICEServer
		for _, s := range paths.Servers() {
			out = append(out, whip.ICEServer{URL: s.URL, Username: s.Username, Credential: s.Credential})
		}
		return out
	}
}
