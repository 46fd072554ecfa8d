//go:build e2e

package e2e

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// longEnv makes the outages of these tests last as long as is promised, a minute, instead of seconds.
const longEnv = "BOARDCAST_E2E_LONG"

func outage() time.Duration {
	if os.Getenv(longEnv) != "" {
		return time.Minute
	}
	return 3 * time.Second
}

const rejoinWithin = 5 * time.Second // promised

// cable is a TCP connection to the program that can be pulled out; the media, which are UDP, go beside it.
type cable struct {
	to string

	mu      sync.Mutex
	pulled  bool // nothing goes through, and nobody is told
	changed *sync.Cond
	ends    []net.Conn
}

// newCable returns the address to connect to instead of the program's.
func newCable(t *testing.T, program *Program) (c *cable, address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", BoardAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{to: strings.TrimPrefix(program.Address, "http://")}
	c.changed = sync.NewCond(&c.mu)
	var work sync.WaitGroup
	work.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			work.Go(func() { c.carry(in) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.plugIn()
		c.cut()
		work.Wait()
	})
	return c, "http://" + listener.Addr().String()
}

// carry is one connection, to its end.
func (c *cable) carry(in net.Conn) {
	out, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.to)
	if err != nil {
		_ = in.Close()
		return
	}
	c.mu.Lock()
	c.ends = append(c.ends, in, out)
	c.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], throughCable{c, way[1]})
			_ = way[0].Close()
		})
	}
	both.Wait()
}

// throughCable is read from while the cable is plugged in.
type throughCable struct {
	c    *cable
	from io.Reader
}

func (r throughCable) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for r.c.pulled {
		r.c.changed.Wait()
	}
	return n, err
}

// pull lets nothing through any more.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = true
}

func (c *cable) plugIn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
	c.changed.Broadcast()
}

// cut breaks the connections that there are.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		_ = end.Close()
	}
	c.ends = nil
}

// TestSignallingLost breaks the page's connections, and then lets nothing through in silence, for seconds, or for a minute
// where BOARDCAST_E2E_LONG is set: the picture never stops, and afterwards the page is registered again.
func TestSignallingLost(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	cable, address := newCable(t, program)
	page := browsers.Launch(t, Chromium).Open(t, address+"/")
	page.WaitPlaying(30)
	page.Watch()
	for _, silently := range []bool{false, true} {
		began := time.Now()
		cable.pull()
		if !silently {
			cable.cut()
			page.Until(`boardcast.signalling !== "session" && boardcast.signalling !== "registered"`, callWithin)
		}
		for time.Since(began) < outage() {
			page.WaitWatched(page.Watched().Frames + 30)
		}
		cable.plugIn()
		page.Until(`boardcast.signalling === "session" || boardcast.signalling === "registered"`, callWithin)
		assertUnbroken(t, page.WaitWatched(page.Watched().Frames+30))
	}
	assertViewers(t, program, 1)
}

// The board's second address, where its media are, and the third, where it comes back.
const secondAddr, thirdAddr = "10.78.0.1", "10.78.0.3"

// ip changes the network of one side.
func ip(t *testing.T, browserSide bool, line string) {
	t.Helper()
	args := append([]string{"ip"}, strings.Fields(line)...)
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	if browserSide {
		cmd = browsers.network.BrowserSide(context.Background(), args...)
	}
	if err := run(cmd); err != nil {
		t.Fatal(err)
	}
}

// twoWays gives the board a second address and leaves no way for media but to that one.
func twoWays(t *testing.T) {
	t.Helper()
	ip(t, false, "addr add "+secondAddr+"/24 dev board")
	t.Cleanup(func() { ip(t, false, "addr flush dev board to 10.78.0.0/24") })
	ip(t, true, "rule add to "+BoardAddr+" ipproto udp prohibit")
	t.Cleanup(func() { ip(t, true, "rule del to "+BoardAddr+" ipproto udp prohibit") })
}

// TestAddressChange takes the address that the media come from away from the board, and gives it another: the page, which
// came by a third that stays, plays again by itself. Where it gets the same one again the picture goes on.
func TestAddressChange(t *testing.T) {
	twoWays(t)
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(30)
	assertFrom(t, page, secondAddr)
	page.Watch()
	ip(t, false, "addr del "+secondAddr+"/24 dev board")
	ip(t, false, "addr add "+secondAddr+"/24 dev board")
	if w := page.WaitWatched(page.Watched().Frames + 60); !w.SamePC {
		t.Error("the page has a new connection, want the old one kept")
	}
	ip(t, false, "addr del "+secondAddr+"/24 dev board")
	ip(t, false, "addr add "+thirdAddr+"/24 dev board")
	assertRejoins(t, page, time.Now())
	assertFrom(t, page, thirdAddr)
}

// assertRejoins waits for the picture of another connection than the one that Watch saw.
func assertRejoins(t *testing.T, page *Page, reachable time.Time) {
	t.Helper()
	page.Until(`!e2e.watchedSoFar().samePC && (await e2e.stats()).frames > 0`, playWithin)
	took := time.Since(reachable)
	t.Logf("played again %v after the address was there", took.Round(time.Millisecond))
	if took > rejoinWithin {
		t.Errorf("it took %v, want at most %v", took, rejoinWithin)
	}
	page.WaitMoving()
}

// TestAddressGone takes away the only address that the board has, for seconds or for a minute, and gives it back.
func TestAddressGone(t *testing.T) {
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/")
	page.WaitPlaying(30)
	page.Watch()
	ip(t, false, "addr del "+BoardAddr+"/24 dev board")
	back := sync.OnceFunc(func() { ip(t, false, "addr add "+BoardAddr+"/24 dev board") })
	t.Cleanup(back)
	gone := time.Now()
	page.Until(`boardcast.state === "reconnecting"`, callWithin)
	t.Logf("noticed after %v", time.Since(gone).Round(time.Millisecond))
	page.Rest(2*outage() - time.Since(gone))
	back()
	assertRejoins(t, page, time.Now())
}

// TestStreamerMoves gives the board another address while the signalling server elsewhere, and the page that it serves,
// stay where they are.
func TestStreamerMoves(t *testing.T) {
	const listen, moved = BrowserAddr + ":8443", "10.77.0.5"
	server := StartServerBrowserSide(t, "--listen", listen)
	StartBoardcast(t, "--server", "ws://"+listen+"/ws", "--id", "camera", "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, server.Address+"/")
	page.WaitPlaying(30)
	page.Watch()
	moveBoard(t, moved)
	assertRejoins(t, page, time.Now())
	assertFrom(t, page, moved)
}

// moveBoard gives the board another address for the rest of the test.
func moveBoard(t *testing.T, to string) {
	t.Helper()
	ip(t, false, "addr del "+BoardAddr+"/24 dev board")
	t.Cleanup(func() {
		ip(t, false, "addr flush dev board to 10.77.0.0/24")
		ip(t, false, "addr add "+BoardAddr+"/24 dev board")
	})
	ip(t, false, "addr add "+to+"/24 dev board")
}

// TestStreamerMovesAlone has it happen while nobody watches, so that no page's end frees the name: the server asks who holds it.
func TestStreamerMovesAlone(t *testing.T) {
	const listen, moved = BrowserAddr + ":8443", "10.77.0.5"
	server := StartServerBrowserSide(t, "--listen", listen)
	program := StartBoardcast(t, "--server", "ws://"+listen+"/ws", "--id", "camera", "--width", "320", "--height", "240")
	program.WaitLine("stderr", regexp.MustCompile("registered with the signalling server"), callWithin)
	browser := browsers.Launch(t, Chromium)
	moveBoard(t, moved)
	began := time.Now()
	page := browser.Open(t, server.Address+"/")
	page.WaitPlaying(1)
	took := time.Since(began)
	t.Logf("a page plays %v after the address has changed", took.Round(time.Millisecond))
	if took > rejoinWithin {
		t.Errorf("it took %v, want at most %v", took, rejoinWithin)
	}
	assertFrom(t, page, moved)
}

// assertFrom checks from which address of the board the media come.
func assertFrom(t *testing.T, page *Page, address string) {
	t.Helper()
	var from string
	page.Eval(`boardcast.pc.getStats().then((report) => {
	  for (const s of report.values()) if (s.type === "transport" && s.selectedCandidatePairId)
	    return report.get(report.get(s.selectedCandidatePairId).remoteCandidateId).address;
	})`, &from)
	if from != address {
		t.Errorf("the media come from %s, want %s", from, address)
	}
}
