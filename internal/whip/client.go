package whip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"boardcast/internal/sdp"
)

const (
	requestLimit = 10 * time.Second // for one request and its answer: a media server decides within a second or two
	offerLimit   = 20 * time.Second // for the media to make the offer: the program may be starting
	deleteLimit  = time.Second      // for the request that ends a session: the program may be ending

	backoffFirst = time.Second      // longest delay before the second attempt: a media server that restarts needs about as long
	backoffMost  = 30 * time.Second // longest delay of all while a server fails: nobody waits longer for a server that is back
	// The longest delay after a refusal that lasts until somebody changes something: somebody may have done so.
	refusedEvery = time.Minute
	// After a session that lasted this long the next failure starts the back-off anew. It is longer than media take to give up a
	// connection that does not come up.
	stableAfter = 30 * time.Second
	// The longest that a server's Retry-After is followed: a longer one is likely a mistake.
	retryAfterMost = 5 * time.Minute
)

// ErrOptions is wrapped by the errors of [Client.Run] that are about the options.
var ErrOptions = errors.New("impossible WHIP options")

// ClientOptions configure a [Client].
type ClientOptions struct {
	URL       string            // https:// or http://; its query may hold a secret and is never logged
	Token     string            // bearer token, never logged; empty: none
	Transport http.RoundTripper // nil: http.DefaultTransport
	Logger    *slog.Logger      // nil: silent
}

// Client publishes to a media server. Whenever the session ends it begins another.
type Client struct {
	opts    ClientOptions
	media   Media
	log     *slog.Logger
	http    *http.Client
	attempt int    // failures in a row
	lastErr string // the error that was logged last, which is not logged twice in a row
}

// NewClient returns a client whose sessions m opens. Run checks the options.
func NewClient(o ClientOptions, m Media) *Client {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		opts: o, media: m, log: o.Logger,
		http: &http.Client{Transport: o.Transport, Timeout: requestLimit, CheckRedirect: stay},
	}
}

// Run publishes until ctx ends. Then it ends the session at the server and returns nil. Its only errors wrap [ErrOptions]: trying
// again would not help against them. Run is called once.
func (c *Client) Run(ctx context.Context) error {
	endpoint, err := url.Parse(c.opts.URL)
	switch {
	case err != nil: // its text is not passed on: it holds the whole URL, with the secret
		return fmt.Errorf("%w: the URL can't be read", ErrOptions)
	case endpoint.Scheme != "https" && endpoint.Scheme != "http" || endpoint.Host == "":
		return fmt.Errorf("%w: the URL must look like https://host/path", ErrOptions)
	}
	c.log = c.log.With(keyServer, shown(endpoint))
	if endpoint.Scheme == "http" && c.opts.Token != "" {
		c.log.Warn("the token goes out unencrypted", keyHint, "use https")
	}
	for {
		begin := time.Now()
		err := c.publish(ctx, endpoint)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the program is ending: why the session ended does not matter
		}
		if time.Since(begin) >= stableAfter {
			c.attempt, c.lastErr = 0, ""
		}
		delay := c.delay(err)
		c.report(err, delay)
		pause := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// shown is the URL without the parts that may hold a secret.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// publish serves one session from its offer to its end. The error says how it ended, and is never nil.
func (c *Client) publish(ctx context.Context, endpoint *url.URL) error {
	said := newCollector()
	offering, cancel := context.WithTimeout(ctx, offerLimit)
	defer cancel()
	session, err := c.media.Open(offering, "whip", netip.Addr{}, said.send)
	if err != nil {
		return fmt.Errorf("open media: %w", err)
	}
	defer session.Close()
	session.Receive(sdp.Message{OfferRequest: true, OneWay: true})
	offer, err := said.description(offering, session)
	if err != nil {
		return fmt.Errorf("make the offer: %w", err)
	}
	p, err := c.post(ctx, endpoint, offer)
	if p != nil {
		defer c.hangUp(ctx, p)
	}
	if err != nil {
		return err
	}
	session.Receive(sdp.Message{Type: sdp.TypeAnswer, SDP: p.answer})
	c.log.Info("published", keyServers, iceServers(p.links))
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-session.Done():
			if words := said.refusal(); words != "" {
				return fmt.Errorf("the server's answer cannot be used: %s", words)
			}
			return errEnded
		case <-said.news:
			if late, end := said.take(); len(late) > 0 {
				c.trickle(ctx, p, offer, late, end)
			}
		}
	}
}

// delay says how long to wait after err. It is random, so that many boards that lost the same server do not come back at the same
// moment.
func (c *Client) delay(err error) time.Duration {
	c.attempt++
	ceiling := min(backoffMost, backoffFirst<<min(c.attempt-1, 10))
	var r *refused
	if errors.As(err, &r) && r.lasting() {
		ceiling = refusedEvery
		return ceiling/2 + rand.N(ceiling/2)
	}
	delay := rand.N(ceiling) + 1
	if r != nil {
		delay = max(delay, min(r.retryAfter, retryAfterMost))
	}
	return delay
}

// localPort is the address that a connection came from, in an error of package net. It differs with each attempt.
var localPort = regexp.MustCompile(`[^ ]+:[0-9]+->`)

// report logs a failure. One that repeats is logged once, and then at debug. A refusal that lasts until somebody changes something
// is logged as an error, with a remedy.
func (c *Client) report(err error, delay time.Duration) {
	attrs := []any{keyError, err, keyAttempt, c.attempt, keyDelay, delay.Seconds()}
	say := c.log.Warn
	var r *refused
	if errors.As(err, &r) && r.lasting() {
		say = c.log.Error
		attrs = append(attrs, keyHint, r.hint())
	}
	if text := localPort.ReplaceAllString(err.Error(), ""); text == c.lastErr {
		say = c.log.Debug
	} else {
		c.lastErr = text
	}
	say("not publishing, will retry", attrs...)
}
