package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"boardcast/configs"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
	"boardcast/pipeline"
	"boardcast/pipeline/gst"
	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// defaultID is the streamer's id on its own server.
const defaultID = "camera"

// runStream streams until ctx ends. The address is printed before GStreamer is up: a page may be opened at once and is
// answered as soon as there is something to answer.
func runStream(ctx context.Context, cfg *configs.Config, stdout, stderr io.Writer) error {
	log := newLogger(cfg, stderr)
	warnOfThreads(cfg, log)
	group, ctx := errgroup.WithContext(ctx)
	all := newStreams(ctx, cfg)
	hub := signalling.NewServer(signalling.ServerOptions{
		Logger: log.With("component", "signalling"), Origins: cfg.Signalling.Origins, Hosts: cfg.Hosts,
	})
	for _, s := range all {
		if err := hub.Register(s.id, s.media); err != nil {
			return fmt.Errorf("register %q: %w", s.id, err)
		}
	}
	clients, err := newClients(cfg, all, log)
	if err != nil {
		return err
	}
	publisher := newPublisher(cfg, all[0].media, log)
	site := newSite(cfg, hub, all, log)
	if err := listen(site, stdout); err != nil {
		return err
	}
	group.Go(func() error { return site.Run(ctx) })
	group.Go(func() error { return hub.Run(ctx) })
	group.Go(func() error { return streamMedia(ctx, cfg, all, stdout, log) })
	group.Go(func() error { return keepManagerInformed(ctx, all, log) })
	for _, client := range clients {
		group.Go(func() error { return client.Run(ctx) })
	}
	if publisher != nil {
		group.Go(func() error { return publisher.Run(ctx) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// prepared is what is needed to stream.
type prepared struct {
	engine  *gst.Engine
	planner planner
	sources []sources // of each camera
	plans   []pipeline.Plan
}

// prepare brings up GStreamer and chooses what to run.
func prepare(ctx context.Context, cfg *configs.Config, log *slog.Logger) (prepared, error) {
	engine, err := gst.New(log.With("component", "media"))
	if err != nil {
		return prepared{}, err
	}
	from, err := chooseSources(ctx, cfg)
	if err != nil {
		return prepared{}, err
	}
	p := prepared{engine: engine, planner: newPlanner(cfg, log.With("component", "media")), sources: from}
	for _, s := range from {
		plan, err := p.planner.plan(ctx, s)
		if err != nil {
			return p, err
		}
		p.plans = append(p.plans, plan)
	}
	return p, nil
}

// prepareAloud says so when the preparation takes long: the first start tries the encoders.
func prepareAloud(ctx context.Context, cfg *configs.Config, stdout io.Writer, log *slog.Logger) (prepared, error) {
	type answer struct {
		prepared
		err error
	}
	done := make(chan answer, 1)
	go func() {
		p, err := prepare(ctx, cfg, log)
		done <- answer{p, err}
	}()
	const patience = time.Second
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case a := <-done:
			return a.prepared, a.err
		case <-timer.C:
			fmt.Fprintln(stdout, "  getting ready: a first start tries the encoders")
		}
	}
}

// streamMedia says what was chosen and runs it.
func streamMedia(ctx context.Context, cfg *configs.Config, all []stream, stdout io.Writer, log *slog.Logger) error {
	p, err := prepareAloud(ctx, cfg, stdout, log)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // trials that were broken off say nothing, of failure either
	case err != nil:
		return err
	}
	plugged := newPlug(p, log.With("component", "devices"))
	limit, names := places.New(cfg.Viewers.Max), live.NewNames()
	limit.ThreadsFree = threadsFree
	for i, s := range all {
		for _, why := range p.plans[i].Why {
			fmt.Fprintln(stdout, "  "+s.label(why))
		}
		video := p.sources[i].wish.Video
		s.broadcast = live.NewBroadcast(p.engine, p.plans[i], live.Options{
			Limit: limit, MinBitrate: int(video.MinBitrate), FixedBitrate: !video.Adaptive, Grace: cfg.Viewers.Grace,
			STUN: cfg.ICE.STUN.Full(), TURN: turnURLs(cfg), Names: names,
			Greeting: greeting(), Logger: log.With(s.about("component", "media")...),
			Explain: func(line string, err error) error { return plugged.sources()[i].explain(ctx, line, err) },
		})
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range all {
		close(s.ready)
		group.Go(func() error { return s.broadcast.Run(ctx) })
	}
	group.Go(func() error { return plugged.run(ctx, all) })
	group.Go(func() error { return names.Run(ctx) })
	return group.Wait()
}

// dryRun prints what would run and runs nothing.
func dryRun(ctx context.Context, cfg *configs.Config, stdout, stderr io.Writer) error {
	p, err := prepare(ctx, cfg, newLogger(cfg, stderr))
	if err != nil {
		return err
	}
	for i, s := range newStreams(ctx, cfg) {
		plan := p.plans[i]
		for _, why := range plan.Why {
			fmt.Fprintln(stdout, "# "+s.label(why))
		}
		for _, c := range plan.Choices {
			fmt.Fprintln(stdout, pipeline.Join(plan.Capture, c.Graph).Shell())
		}
		for _, c := range plan.Lower {
			fmt.Fprintf(stdout, "# %s, %d kbit/s\n", s.label("for viewers on slow links: "+c.Format.String()), c.Format.Bitrate/1000)
			fmt.Fprintln(stdout, pipeline.Join(plan.Capture, c.Graph).Shell())
		}
		if plan.Audio != nil {
			fmt.Fprintln(stdout, plan.Audio.Shell())
		}
	}
	return nil
}

func greeting() string {
	out, err := json.Marshal(map[string]string{"hello": "boardcast", "version": buildVersion()})
	if err != nil {
		return ""
	}
	return string(out)
}

func turnURLs(cfg *configs.Config) []string {
	out := make([]string, 0, len(cfg.ICE.TURN))
	for _, u := range cfg.ICE.TURN {
		out = append(out, u.Full())
	}
	return out
}

func newSite(cfg *configs.Config, hub *signalling.Server, all []stream, log *slog.Logger) *web.Server {
	return web.New(web.Options{
		Listen: cfg.Listen, TLSCert: cfg.TLS.Cert, TLSKey: cfg.TLS.Key, Hosts: cfg.Hosts, Signalling: hub, Version: buildVersion(),
		WHEP:   newEndpoint(cfg, hub, all, log),
		Status: func() any { return status(hub, all) },
		Page:   web.Page{Peer: all[0].id, Cameras: namesOf(all), ICEServers: iceServers(cfg), Talkback: true},
		Logger: log.With("component", "web"),
	})
}

func listen(site *web.Server, stdout io.Writer) error {
	if _, err := site.Listen(); err != nil {
		return err
	}
	urls := site.URLs()
	fmt.Fprintf(stdout, "boardcast %s: open %s in a browser\n", buildVersion(), urls[0])
	for _, u := range urls[1:] {
		fmt.Fprintf(stdout, "  or %s\n", u)
	}
	return nil
}

// iceServers translates STUN and TURN from GStreamer's spelling (turn://user:pass@host:port) to the browser's.
func iceServers(cfg *configs.Config) []web.ICEServer {
	var out []web.ICEServer
	for _, text := range append([]string{cfg.ICE.STUN.Full()}, turnURLs(cfg)...) {
		u, err := url.Parse(text)
		if err != nil || text == "" {
			continue
		}
		s := web.ICEServer{URLs: []string{u.Scheme + ":" + u.Host}}
		if u.RawQuery != "" {
			s.URLs[0] += "?" + u.RawQuery
		}
		if u.User != nil {
			s.Username = u.User.Username()
			s.Credential, _ = u.User.Password()
		}
		out = append(out, s)
	}
	return out
}

// newClients are those at a server elsewhere, one for each camera: none where there is no such server.
func newClients(cfg *configs.Config, all []stream, log *slog.Logger) ([]*signalling.Client, error) {
	s := cfg.Signalling
	if s.Server.IsZero() {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure} //nolint:gosec // --insecure is the user's own word
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, fmt.Errorf("read signalling.ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read signalling.ca: %s holds no PEM certificate", s.CA)
		}
	}
	var clients []*signalling.Client
	for _, one := range all {
		clients = append(clients, signalling.NewClient(signalling.ClientOptions{
			URL: s.Server.Full(), ID: one.idElsewhere(s.ID), Peer: s.Peer, Room: s.Room, RemoteOfferer: s.RemoteOfferer, TLS: conf,
			Logger: log.With(one.about("component", "signalling")...),
		}, one.media))
	}
	return clients, nil
}

func newLogger(cfg *configs.Config, stderr io.Writer) *slog.Logger {
	build := func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(w, o) }
	if cfg.Log.Format == configs.LogJSON {
		build = func(w io.Writer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(w, o) }
	}
	if toJournal(stderr) {
		return slog.New(newFlood(newJournal(stderr, cfg.Log.Level, build)))
	}
	return slog.New(newFlood(build(stderr, &slog.HandlerOptions{Level: cfg.Log.Level})))
}

func firstOf(a, b string) string {
	if strings.TrimSpace(a) != "" {
		return a
	}
	return b
}

// shutdownLimit is how long an orderly end may take before the process ends anyway.
const shutdownLimit = 2500 * time.Millisecond
