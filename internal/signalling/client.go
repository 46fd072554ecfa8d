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
	dialWait  = 10 * time.Second // for the connection, TLS and upgrade included
	replyWait = 10 * time.Second // for each answer of the server

	// A registration that lasted this long was a good one: the next failure starts the back-off anew.
	stableAfter = 10 * time.Second
	// A server notices a dead peer after 40 s (ping time-out; ours 1.5 s after a HELLO with its id) and refuses its id until
	// then: for a little longer than that the id is asked for again and again, after it like any other failure.
	heldPatience = time.Minute
	heldShort    = 300 * time.Millisecond
	heldLong     = 700 * time.Millisecond

	// How often a client looks whether its socket's address is still this machine's.
	addressEvery = time.Second
)

// clientLimits are what a server may send: as much as our own server takes from a client.
var clientLimits = Limits{}.withDefaults()

// ErrOptions is in the errors of [Client.Run] that are about the options.
var ErrOptions = errors.New("impossible client options")

// State is where a [Client] stands.
type State int

// The states of a client, in the order in which they are gone through.
const (
	StateOffline     State = iota // no connection; the next attempt is due
	StateConnecting               // the socket is being opened
	StateRegistering              // HELLO is said
	StateWaiting                  // registered: for a call, or for the peer to be free
	StateCalling                  // SESSION is said
	StateJoining                  // ROOM is said
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

// ClientOptions configure a [Client]. With neither Peer nor Room it waits to be called; both at once is an error.
type ClientOptions struct {
	URL  string // ws:// or wss://; a user and password in it are sent as basic authorisation and never logged
	ID   string // empty: a random number from 10 to 9999, another one when it is taken
	Peer string // whom to call
	Room string // which room to serve
	// RemoteOfferer makes the others offer: OFFER_REQUEST goes out where an offer would.
	RemoteOfferer bool
	TLS           *tls.Config // nil: certificates are verified against the system's
	Logger        *slog.Logger
	OnState       func(State) // told of every change, from Run's goroutine
}

// Client registers with a signalling server and stays registered.
type Client struct {
	opts    ClientOptions
	media   Media
	log     *slog.Logger
	dial    dialFunc            // tests replace it
	home    func(net.Addr) bool // whether an address is this machine's; tests replace it
	state   State
	id      string
	backoff backoff
	heldAt  time.Time          // since when our fixed id is refused; zero when it isn't
	kept    map[string]Session // detached sessions whose media may still flow, by peer
	callers int                // calls from peers whose id is not told
	lastErr string             // not to be logged again
}

// NewClient returns a client that makes its sessions by m. Its options are checked by Run.
func NewClient(opts ClientOptions, m Media) *Client {
	c := &Client{
		opts: opts, media: m, log: opts.Logger, dial: (&net.Dialer{}).DialContext, home: ownAddress, kept: make(map[string]Session),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Run connects, registers, calls or serves, and begins again whenever that ends, until ctx does; then it hangs up, closes
// all its sessions and returns nil. The only errors, wrapping [ErrOptions], are those that time can't heal. Run is called
// once.
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

// target checks the options and takes the secrets out of the URL.
func (c *Client) target() (target string, header http.Header, err error) {
	u, err := url.Parse(c.opts.URL)
	switch {
	case err != nil: // its text would hold the whole URL
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
	u.Fragment = "" // the dialer wants none
	return u.String(), header, nil
}

// connect serves one socket from its opening to its end; the error says how it ended and is never nil.
func (c *Client) connect(ctx context.Context, target string, header http.Header) error {
	c.enter(StateConnecting)
	if c.id == "" {
		if c.id = c.opts.ID; c.id == "" {
			c.id = strconv.Itoa(10 + rand.IntN(9990))
		}
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: dialWait, TLSClientConfig: c.opts.TLS,
		NetDialContext: meteredDial(c.dial, clientLimits),
	}
	ws, resp, err := dialer.DialContext(ctx, target, header)
	if resp != nil {
		_ = resp.Body.Close() // holds the beginning of a refusal, in memory
	}
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
			return fmt.Errorf("connect: server answered %s", resp.Status)
		}
		return fmt.Errorf("connect: %w", err)
	}
	return newLink(c, ws).run(ctx)
}

// ownAddress reports whether this machine has an address; it takes one that it cannot judge for its own.
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

// delay says how long to wait after err, and readies the next attempt.
func (c *Client) delay(err error) time.Duration {
	if !errors.Is(err, errHeld) {
		c.heldAt = time.Time{}
		return c.backoff.next()
	}
	if c.opts.ID == "" {
		c.id = "" // by chance somebody else's: take another
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

// report logs a failure once, however often it repeats.
func (c *Client) report(err error, delay time.Duration) {
	say := c.log.Warn
	if text := err.Error(); text == c.lastErr || errors.Is(err, errEnded) {
		say = c.log.Debug
	} else {
		c.lastErr = text
	}
	say("signalling lost, will retry", keyError, err, keyAttempt, c.backoff.attempt, keyDelay, delay.Seconds())
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

// keep detaches a session, whose media goes on for as long as it flows.
func (c *Client) keep(peer string, session Session) {
	session.Detach()
	c.kept[peer] = session
	c.forgetEnded()
}

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
