package signalling

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	dialWait  = 10 * time.Second // for the connection, with TLS and the upgrade: a slow link needs a few seconds
	replyWait = 10 * time.Second // for each answer of the server, which needs no time to decide

	// After a registration that lasted this long the next failure starts the back-off anew: server and link are good.
	stableAfter = 10 * time.Second
	// For this long the client asks again and again for a fixed id that the server refuses. Later it waits as after any other
	// failure. The refusal may be about a dead connection of ours: a server notices after 40 s that its pings are not answered, and our own
	// server 1.5 s after another HELLO with the id.
	heldPatience = time.Minute
	heldShort    = 300 * time.Millisecond // shortest time between two such attempts
	heldLong     = 700 * time.Millisecond // longest time: three attempts within the 1.5 s that our own server takes

	// How often a client looks whether this machine still has its socket's address: viewers who call wait for no longer.
	addressEvery = time.Second
)

// clientLimits are what a server may send to a client: as much as our own server accepts from a client.
var clientLimits = Limits{}.withDefaults()

// ErrOptions is wrapped by the errors of [Client.Run] that are about the options.
var ErrOptions = errors.New("impossible client options")

// State says how far a [Client] has come.
type State int

// The states of a client, in the order in which it goes through them.
const (
	StateOffline     State = iota // no connection; the next attempt is due
	StateConnecting               // the socket is being opened
	StateRegistering              // HELLO was said; the answer is awaited
	StateWaiting                  // registered; a call is awaited, or the peer is busy
	StateCalling                  // SESSION was said; the answer is awaited
	StateJoining                  // ROOM was said; the answer is awaited
	StateInCall
	StateInRoom
)

// String names the state in a word.
func (s State) String() string {
	names := [...]string{"offline", "connecting", "registering", "waiting", "calling", "joining", "in call", "in room"}
	if s < 0 || int(s) >= len(names) {
		return "state " + strconv.Itoa(int(s))
	}
	return names[s]
}

// ClientOptions configure a [Client]. With neither Peer nor Room it waits to be called. Both at once are an error.
type ClientOptions struct {
	URL  string // ws:// or wss://; a user and a password in it are sent as basic authorisation and never logged
	ID   string // empty: a random number from 10 to 9999, and another one when that is taken
	Peer string // the peer to call
	Room string // the room to serve
	// RemoteOfferer makes the other peers offer: the client sends OFFER_REQUEST in place of an offer.
	RemoteOfferer bool
	TLS           *tls.Config // nil: certificates are verified against the system's
	Logger        *slog.Logger
	OnState       func(State) // called at every change, on Run's goroutine
}

// Client registers with a signalling server and stays registered.
type Client struct {
	opts    ClientOptions
	media   Media
	log     *slog.Logger
	dial    dialFunc            // tests replace it
	home    func(net.Addr) bool // tells whether this machine has an address; tests replace it
	state   State
	id      string
	backoff backoff
	heldAt  time.Time          // since when the server refuses our fixed id; zero when it does not
	kept    map[string]Session // detached sessions by peer; their media may still flow
	callers int                // calls from peers whose id the server does not tell
	lastErr string             // the error that was logged last, which is not logged twice in a row
}

// NewClient returns a client whose sessions m opens. Run checks the options.
func NewClient(opts ClientOptions, m Media) *Client {
	c := &Client{
		opts: opts, media: m, log: opts.Logger, dial: (&net.Dialer{}).DialContext, home: ownAddress, kept: make(map[string]Session),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Run connects, registers, and calls or waits to be called. Whenever the connection ends it begins again. When ctx ends it hangs up,
// closes all its sessions and returns nil. Its only errors wrap [ErrOptions]: trying again would not help against them. Run is
// called once.
func (c *Client) Run(ctx context.Context) error {
	target, header, err := c.target()
	if err != nil {
		return err
	}
	shown, _, _ := strings.Cut(target, "?") // a query may hold a token
	c.log = c.log.With(keyServer, shown)
	defer c.closeKept()
	defer c.enter(StateOffline)
	for {
		err := c.connect(ctx, target, header)
		if ctx.Err() != nil {
			return nil
		}
		delay := c.delay(err)
		c.report(err, delay)
		c.enter(StateOffline)
		pause := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// target checks the options. It returns the URL without the user and the password, which go into the header.
func (c *Client) target() (target string, header http.Header, err error) {
	u, err := url.Parse(c.opts.URL)
	switch {
	case err != nil: // its text is not passed on: it holds the whole URL, with the password
		return "", nil, fmt.Errorf("%w: server URL can't be read", ErrOptions)
	case u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "":
		return "", nil, fmt.Errorf("%w: server URL must look like wss://host:port", ErrOptions)
	case c.opts.Peer != "" && c.opts.Room != "":
		return "", nil, fmt.Errorf("%w: both a peer to call and a room to join", ErrOptions)
	}
	for _, id := range []string{c.opts.ID, c.opts.Peer, c.opts.Room} {
		if id != "" && !validID(id, maxMessage/2) {
			return "", nil, fmt.Errorf("%w: id %s is too long or holds a blank", ErrOptions, quoteID(id, 64))
		}
	}
	header = make(http.Header)
	if u.User != nil {
		password, _ := u.User.Password()
		token := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		header.Set("Authorization", "Basic "+token)
		u.User = nil
	}
	u.Fragment = "" // the dialer refuses an URL with a fragment
	return u.String(), header, nil
}

// connect serves one socket from its opening to its end. The error says how it ended, and is never nil.
func (c *Client) connect(ctx context.Context, target string, header http.Header) error {
	c.enter(StateConnecting)
	if c.id == "" {
		if c.id = c.opts.ID; c.id == "" {
			c.id = strconv.Itoa(10 + rand.IntN(9990))
		}
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: dialWait, TLSClientConfig: c.opts.TLS,
		NetDialContext: meteredDial(c.dial, clientLimits.Bytes),
	}
	ws, resp, err := dialer.DialContext(ctx, target, header)
	if resp != nil {
		_ = resp.Body.Close() // no more than the beginning of a refusal, which is in memory
	}
	if err != nil {
		switch {
		case !errors.Is(err, websocket.ErrBadHandshake) || resp == nil:
		case resp.StatusCode == http.StatusUnauthorized && header.Get("Authorization") == "":
			return fmt.Errorf("connect: server answered %s: it wants a user and a password, or a key, in its address: wss://user:KEY@host", resp.Status)
		default:
			return fmt.Errorf("connect: server answered %s", resp.Status)
		}
		return fmt.Errorf("connect: %w", err)
	}
	return newLink(c, ws).run(ctx)
}

// ownAddress reports whether this machine has an address. The answer is yes where that cannot be found out.
func ownAddress(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	all, err := net.InterfaceAddrs()
	if !ok || err != nil || tcp.IP.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(all, func(b net.Addr) bool {
		n, ok := b.(*net.IPNet)
		return ok && n.IP.Equal(tcp.IP)
	})
}

// delay says how long to wait after err. It also forgets a random id that is taken.
func (c *Client) delay(err error) time.Duration {
	if !errors.Is(err, errHeld) {
		c.heldAt = time.Time{}
		return c.backoff.next()
	}
	if c.opts.ID == "" {
		c.id = "" // another peer has the same number by chance: take another one
		return c.backoff.next()
	}
	if c.heldAt.IsZero() {
		c.heldAt = time.Now()
	}
	if time.Since(c.heldAt) < heldPatience {
		return between(heldShort, heldLong)
	}
	return c.backoff.next()
}

// report logs a failure. One that repeats is logged once, and then at debug.
func (c *Client) report(err error, delay time.Duration) {
	say := c.log.Warn
	if text := err.Error(); text == c.lastErr || errors.Is(err, errEnded) {
		say = c.log.Debug
	} else {
		c.lastErr = text
	}
	attrs := []any{keyError, err, keyAttempt, c.backoff.attempt, keyDelay, delay.Seconds()}
	if errors.Is(err, errHeld) && c.opts.ID != "" {
		attrs = append(attrs, keyHint, "another peer has this id there, or had it a moment ago; --id gives this board another one")
	}
	say("not registered with the signalling server, will retry", attrs...)
}

func (c *Client) enter(s State) {
	if s == c.state {
		return
	}
	c.state = s
	c.log.Debug("client state", keyState, s.String())
	if c.opts.OnState != nil {
		c.opts.OnState(s)
	}
}

// keep detaches a session. Its media go on for as long as they flow.
func (c *Client) keep(peer string, session Session) {
	session.Detach()
	c.kept[peer] = session
	c.forgetEnded()
}

// forgetEnded forgets the kept sessions whose media have ended.
func (c *Client) forgetEnded() {
	for peer, session := range c.kept {
		select {
		case <-session.Done():
			delete(c.kept, peer)
		default:
		}
	}
}

func (c *Client) closeKept() {
	for peer, session := range c.kept {
		session.Close()
		delete(c.kept, peer)
	}
}
