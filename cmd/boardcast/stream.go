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
	"os"
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
func runStream(ctx context.Context, cfg *configs.Config, stdout io.Writer, log *slog.Logger) error {
	warnOfThreads(cfg, log)
	group, ctx := errgroup.WithContext(ctx)
	choose := newChooser(ctx, cfg)
	if err := checkWanted(cfg, choose); err != nil {
		return err
	}
	all := newStreams(ctx, cfg)
	hub, err := newHub(cfg, all, log)
	if err != nil {
		return err
	}
	clients, err := newClients(cfg, all, log)
	if err != nil {
		return err
	}
	publisher := newPublisher(cfg, all[0].media, log)
	with, err := newServing(cfg, log)
	if err != nil {
		return err
	}
	site := newSite(cfg, with, hub, all, log)
	if err := listen(site, cfg, with.keys, stdout); err != nil {
		return err
	}
	writeFingerprint(stdout, cfg, with.shown)
	with.follow(ctx, group)
	group.Go(func() error { return site.Run(ctx) })
	group.Go(func() error { return hub.Run(ctx) })
	group.Go(func() error { return streamMedia(ctx, cfg, choose, all, stdout, log) })
	group.Go(func() error { return keepManagerInformed(ctx, all, summary, log) })
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

// newHub makes our own signalling server, on which each camera is a peer.
func newHub(cfg *configs.Config, all []stream, log *slog.Logger) (*signalling.Server, error) {
	hub := signalling.NewServer(signalling.ServerOptions{
		Logger: log.With("component", "signalling"), Origins: cfg.Signalling.Origins, Hosts: cfg.Page.Hosts, Rights: rightsOf,
	})
	for _, s := range all {
		if err := hub.Register(s.id, s.media); err != nil {
			return nil, fmt.Errorf("register %q: %w", s.id, err)
		}
	}
	return hub, nil
}

// prepared is what is needed to stream.
type prepared struct {
	engine  *gst.Engine
	planner planner
	sources []sources // of each camera
	plans   []pipeline.Plan
}

// prepare brings up GStreamer and chooses what to run.
func prepare(ctx context.Context, cfg *configs.Config, choose chooser, log *slog.Logger) (prepared, error) {
	engine, err := gst.New(log.With("component", "media"))
	if err != nil {
		return prepared{}, err
	}
	from, err := choose()
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

// prepareAloud prepares, and prints a line when that takes long: the first start tries the encoders.
func prepareAloud(ctx context.Context, cfg *configs.Config, choose chooser, stdout io.Writer, log *slog.Logger) (prepared, error) {
	type answer struct {
		prepared
		err error
	}
	done := make(chan answer, 1)
	go func() {
		p, err := prepare(ctx, cfg, choose, log)
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

// streamMedia prints what was chosen, and runs it until ctx ends.
func streamMedia(
	ctx context.Context, cfg *configs.Config, choose chooser, all []stream, stdout io.Writer, log *slog.Logger,
) error {
	p, err := prepareAloud(ctx, cfg, choose, stdout, log)
	switch {
	case ctx.Err() != nil:
		return nil // the program was asked to end: what came of trials that were broken off means nothing
	case err != nil:
		return err
	}
	plugged := newPlug(p, all, log.With("component", "devices"))
	paths, err := newPaths(ctx, cfg, log)
	if err != nil {
		return err
	}
	limit, names := places.New(cfg.Viewers.Max), live.NewNames()
	limit.ThreadsFree = threadsFree
	speaker := live.NewSpeaker(p.engine, p.plans[0].Speak, log.With("component", "speaker"))
	defer speaker.Close()
	for i, s := range all {
		for _, why := range p.plans[i].Why {
			fmt.Fprintln(stdout, "  "+s.label(why))
		}
		s.devices = func() (away, limited string) { return plugged.said(i) }
		video := p.sources[i].request.Video
		s.broadcast = live.NewBroadcast(p.engine, p.plans[i], live.Options{
			Limit: limit, MinBitrate: int(video.MinBitrate), FixedBitrate: !video.Adaptive, Grace: cfg.Viewers.Grace,
			Paths: paths, Names: names, Speaker: speaker,
			Greeting: greeting(), Logger: log.With(s.about("component", "media")...),
			Explain: func(line string, err error) error { return plugged.explain(ctx, i, line, err) },
		})
	}
	plugged.tellAway()
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range all {
		close(s.ready)
		group.Go(func() error { return s.broadcast.Run(ctx) })
	}
	group.Go(func() error { return plugged.run(ctx) })
	group.Go(func() error { return names.Run(ctx) })
	group.Go(func() error { return paths.Run(ctx) })
	group.Go(func() error { return speaker.Run(ctx) })
	return group.Wait()
}

// dryRun prints what would run and runs nothing.
func dryRun(ctx context.Context, cfg *configs.Config, stdout, stderr io.Writer) error {
	if err := checkEncoders(cfg); err != nil {
		return err
	}
	p, err := prepare(ctx, cfg, newChooser(ctx, cfg), newLogger(cfg, stderr))
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

func newSite(cfg *configs.Config, with serving, hub *signalling.Server, all []stream, log *slog.Logger) *web.Server {
	return web.New(web.Options{
		Listen: cfg.Page.Listen, Certificate: handshake(with.shown), Proxies: cfg.Page.TrustedProxies, Hosts: cfg.Page.Hosts,
		Signalling: hub, Version: buildVersion(),
		WHEP: newEndpoint(cfg, hub, all, log),
		Status: func() any {
			now := status(hub, all)
			now.Open = cfg.Page.Open
			return now
		},
		Access: whoMay(cfg, with.keys, hub),
		Page: web.Page{
			Peer: all[0].id, Cameras: namesOf(all), ICEServers: iceServers(cfg), Talkback: cfg.Audio.Speaker != configs.None,
			States: func() []web.Camera { return viewersCameras(all) },
		},
		Speaker: func() bool { return hasSpeaker(all) },
		Logger:  log.With("component", "web"),
	})
}

// readAuthority reads the certificates of an authority of the user's own; nil, which stands for the system's, for no file.
func readAuthority(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read signalling.ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read signalling.ca: %s holds no PEM certificate", path)
	}
	return pool, nil
}

// newClients makes the clients of a signalling server elsewhere, one for each camera. There are none without such a server.
func newClients(cfg *configs.Config, all []stream, log *slog.Logger) ([]*signalling.Client, error) {
	s := cfg.Signalling
	if s.Server.IsZero() {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure} //nolint:gosec // --insecure is the user's own word
	authority, err := readAuthority(s.CA)
	if err != nil {
		return nil, err
	}
	conf.RootCAs = authority
	var clients []*signalling.Client
	for _, one := range all {
		clients = append(clients, signalling.NewClient(signalling.ClientOptions{
			URL: s.Server.Full(), ID: one.idElsewhere(s.ID), Peer: s.Peer, Room: s.Room, RemoteOfferer: s.RemoteOfferer, TLS: conf,
			Logger: log.With(one.about("component", "signalling")...),
		}, elsewhere{one.media}))
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
	return slog.New(newFlood(build(stderr, &slog.HandlerOptions{Level: cfg.Log.Level, ReplaceAttr: roundNumber})))
}

// shutdownLimit is how long an orderly end may take before the process ends anyway.
const shutdownLimit = 2500 * time.Millisecond
