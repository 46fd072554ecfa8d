package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"

	"boardcast/configs"
	"boardcast/internal/sdp"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
	"boardcast/internal/whip"
	"boardcast/pipeline/live"
	"boardcast/pipeline/places"
)

// newEndpoint makes the endpoint that players of WHEP use. Pages of other sites may use it as signalling.origins says.
func newEndpoint(cfg *configs.Config, hub *signalling.Server, all []stream, log *slog.Logger) *whip.Endpoint {
	named := map[string]whip.Media{}
	for _, s := range all {
		if s.name != "" {
			named[s.name] = oneWay{s.media}
		}
	}
	return whip.NewEndpoint(whip.EndpointOptions{
		Media: oneWay{all[0].media}, Named: named, ICEServers: playerServers(cfg), Allowed: hub.Allowed, Logger: log.With("component", "whep"),
		Address: func(r *http.Request) netip.Addr { return signalling.CallerOf(r).Address },
		May:     func(r *http.Request, name string) bool { return web.GrantOf(r.Context()).May(cmp.Or(name, all[0].id)) },
	})
}

// newPublisher is nil when there is nowhere to publish to.
func newPublisher(cfg *configs.Config, m *media, log *slog.Logger) *whip.Client {
	if cfg.WHIP.URL.IsZero() {
		return nil
	}
	return whip.NewClient(whip.ClientOptions{
		URL: cfg.WHIP.URL.Full(), Token: cfg.WHIP.Token.Full(), Logger: log.With("component", "whip"),
	}, publishing{m})
}

// oneWay is the streamer as players of WHEP see it. Their sessions take nothing, and say so in their messages.
type oneWay struct{ *media }

// Open implements [whip.Media].
func (o oneWay) Open(ctx context.Context, peer string, from netip.Addr, send func(sdp.Message)) (whip.Session, error) {
	v, err := o.join(ctx, signalling.Caller{ID: peer, Address: from}, byWHEP, send)
	return oneWaySession(v, err)
}

// publishing is the streamer as the WHIP client sees it.
type publishing struct{ *media }

// Open implements [whip.Media].
func (p publishing) Open(ctx context.Context, peer string, _ netip.Addr, send func(sdp.Message)) (whip.Session, error) {
	if err := p.await(ctx); err != nil {
		return oneWaySession(nil, err)
	}
	v, err := p.broadcast.Publish(peer, send)
	return oneWaySession(v, err)
}

// oneWaySession is a viewer as package whip takes it, or the error as it is told there.
func oneWaySession(v *live.Viewer, err error) (whip.Session, error) {
	switch {
	case errors.Is(err, places.ErrFull):
		return nil, whip.ErrFull
	case errors.Is(err, errStarting), errors.Is(err, errStopping), errors.Is(err, live.ErrClosed):
		return nil, fmt.Errorf("%w: %w", whip.ErrLater, err)
	case err != nil:
		return nil, err
	}
	return v, nil
}
