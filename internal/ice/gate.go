package ice

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// waitingMost is how many connections may be open whose first message has not come: each costs a descriptor. A browser sends its first
// message with the connection.
const waitingMost = 64

// waitingOfOne is how many of these one address may have, so that an address that says nothing keeps no other out. Viewers behind one
// router seldom connect within the same moment.
const waitingOfOne = 8

// firstWithin is the time for that message.
const firstWithin = 5 * time.Second

// perViewer is how many connections one viewer may have: a browser tries one from each of its addresses.
const perViewer = 8

// reachWithin is the time in which an agent, which is in this process, takes a connection.
const reachWithin = time.Second

// buffered is how many bytes wait in each direction of a connection, at the gate's end. Linux doubles it. What waits there is late: at
// 2 Mbit/s it is half a second. With the kernel's own buffers pictures were 2 to 4 s late on a machine that was overloaded.
const buffered = 64 << 10

// gate is the one TCP port for all viewers. webrtcbin's agent listens at a port of its own for each viewer. The gate reads the first
// message of a connection, which is a STUN check in a frame of RFC 4571. The user name in it begins with the ufrag of the agent that the
// check is for. From then on the gate hands bytes on between the two, and the agent judges what they are.
//
// # Concurrency
//
// Safe for concurrent use. One goroutine accepts, two serve each connection.
type gate struct {
	log    *slog.Logger
	within time.Duration // firstWithin, but for tests
	at     net.Listener

	mu      sync.Mutex
	agents  map[string]*agent  // by ufrag
	waiting map[netip.Addr]int // connections whose first message has not come, by the address that they come from
	count   int                // of those
}

// agent is where the agent of one viewer listens.
type agent struct {
	at   netip.AddrPort
	open int // connections
}

func newGate(log *slog.Logger) *gate {
	return &gate{log: log, within: firstWithin, agents: map[string]*agent{}, waiting: map[netip.Addr]int{}}
}

// serve has checks for a ufrag come to an agent. The first address that is named for a ufrag stays.
func (g *gate) serve(ufrag string, at netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ufrag != "" && g.agents[ufrag] == nil {
		g.agents[ufrag] = &agent{at: at}
	}
}

// forget takes that back. Connections end with the agent's sockets.
func (g *gate) forget(ufrag string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.agents, ufrag)
}

func (g *gate) listen(ctx context.Context, address string) error {
	var config net.ListenConfig
	at, err := config.Listen(ctx, "tcp", address)
	g.at = at
	return err
}

// run accepts connections until ctx ends, then ends them all and returns nil.
func (g *gate) run(ctx context.Context) error {
	return acceptAll(ctx, g.at, func(ctx context.Context, from net.Conn) {
		address := addressOf(from)
		if !g.mayWait(address) {
			_ = from.Close()
			return
		}
		to, first, err := g.agentOf(ctx, from)
		g.waited(address)
		if err != nil {
			g.log.Debug("connection of ICE over TCP refused", "address", from.RemoteAddr().String(), "error", err)
			_ = from.Close()
			return
		}
		defer g.left(first.ufrag)
		join(ctx, from, to)
	})
}

// addressOf is the address that a connection comes from.
func addressOf(c net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// mayWait counts a connection whose first message has not come, unless there are too many; waited takes that back.
func (g *gate) mayWait(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count >= waitingMost || g.waiting[from] >= waitingOfOne {
		return false
	}
	g.count++
	g.waiting[from]++
	return true
}

func (g *gate) waited(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count--
	if g.waiting[from]--; g.waiting[from] == 0 {
		delete(g.waiting, from)
	}
}

// agentOf reads the first message of a connection, and connects to the agent that it is for, which gets the message too.
func (g *gate) agentOf(ctx context.Context, from net.Conn) (net.Conn, check, error) {
	if err := from.SetReadDeadline(time.Now().Add(g.within)); err != nil {
		return nil, check{}, fmt.Errorf("set deadline: %w", err)
	}
	first, err := readCheck(from)
	if err != nil {
		return nil, first, err
	}
	at, err := g.enter(first.ufrag)
	if err != nil {
		return nil, first, err
	}
	dial := net.Dialer{Timeout: reachWithin}
	to, err := dial.DialContext(ctx, "tcp", at.String())
	if err == nil {
		_, err = to.Write(first.frame)
	}
	if err == nil {
		err = from.SetReadDeadline(time.Time{})
	}
	if err != nil {
		if to != nil {
			_ = to.Close()
		}
		g.left(first.ufrag)
		return nil, first, fmt.Errorf("reach the agent: %w", err)
	}
	bound(from)
	bound(to)
	return to, first, nil
}

// Errors of connections that are no viewer's.
var (
	errNoViewer = errors.New("no viewer has this ufrag")
	errTooMany  = errors.New("as many connections as a viewer may have")
)

// enter counts a connection of a viewer's, and tells where the viewer's agent listens.
func (g *gate) enter(ufrag string) (netip.AddrPort, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.agents[ufrag]
	switch {
	case a == nil:
		return netip.AddrPort{}, errNoViewer
	case a.open >= perViewer:
		return netip.AddrPort{}, errTooMany
	}
	a.open++
	return a.at, nil
}

func (g *gate) left(ufrag string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a := g.agents[ufrag]; a != nil {
		a.open--
	}
}

// bound keeps the buffers of a connection short.
func bound(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(buffered) // where it fails they stay as they are, which costs time only
		_ = tcp.SetWriteBuffer(buffered)
	}
}

// check is a connectivity check of STUN's.
type check struct {
	frame []byte // as it came: two bytes of length, and the message
	ufrag string // of the agent that the check is for
}

// The parts of a STUN message (RFC 8489).
const (
	frameLength   = 2          // bytes of a frame's length (RFC 4571)
	stunHeader    = 20         // bytes
	bindingCheck  = 0x0001     // the type of a connectivity check
	magicCookie   = 0x2112A442 // in each message
	attributeHead = 4          // bytes of an attribute's type and length
	userName      = 0x0006     // the attribute with both ufrags
	longestCheck  = 1000       // bytes: a browser's checks have under 200, and a user name may have 513
	longestUfrag  = 256        // bytes (RFC 8839)
)

var errNoCheck = errors.New("the first message is no check of ICE")

// readCheck reads the first message of a connection.
func readCheck(from io.Reader) (check, error) {
	c := check{frame: make([]byte, frameLength, longestCheck)}
	if _, err := io.ReadFull(from, c.frame); err != nil {
		return c, fmt.Errorf("read the first message: %w", err)
	}
	size := int(binary.BigEndian.Uint16(c.frame))
	if size > longestCheck-frameLength {
		return c, errNoCheck
	}
	c.frame = c.frame[:frameLength+size]
	if _, err := io.ReadFull(from, c.frame[frameLength:]); err != nil {
		return c, fmt.Errorf("read the first message: %w", err)
	}
	var ok bool
	if c.ufrag, ok = ufragOf(c.frame[frameLength:]); !ok {
		return c, errNoCheck
	}
	return c, nil
}

// ufragOf is the ufrag of the agent that a check is for: what stands before the colon in the user name.
func ufragOf(message []byte) (string, bool) {
	if len(message) < stunHeader || binary.BigEndian.Uint16(message) != bindingCheck ||
		binary.BigEndian.Uint32(message[4:]) != magicCookie || int(binary.BigEndian.Uint16(message[2:])) != len(message)-stunHeader {
		return "", false
	}
	for rest := message[stunHeader:]; len(rest) >= attributeHead; {
		size := int(binary.BigEndian.Uint16(rest[2:]))
		padded := attributeHead + (size+3)/4*4
		if padded > len(rest) {
			return "", false
		}
		if binary.BigEndian.Uint16(rest) != userName {
			rest = rest[padded:]
			continue
		}
		ufrag, _, ok := cutColon(rest[attributeHead : attributeHead+size])
		return ufrag, ok && ufrag != "" && len(ufrag) <= longestUfrag
	}
	return "", false
}
