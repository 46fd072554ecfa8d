package signalling

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// When a server floods its client, the client hangs up, logs that once, and connects again at growing intervals.
func TestHostileServer(t *testing.T) {
	floods := map[string]func(p *probe, n int) error{
		"offers": func(p *probe, _ int) error { return p.ws.WriteMessage(websocket.TextMessage, []byte(offerText)) },
		"joins and leaves": func(p *probe, n int) error {
			word := [...]string{"ROOM_PEER_JOINED m", "ROOM_PEER_LEFT m"}[n%2]
			return p.ws.WriteMessage(websocket.TextMessage, []byte(word))
		},
		"members' messages": func(p *probe, n int) error {
			return p.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "ROOM_PEER_MSG m%d %s", n, offerText))
		},
		"binary": func(p *probe, _ int) error { return p.ws.WriteMessage(websocket.BinaryMessage, nil) },
		"pings":  func(p *probe, _ int) error { return p.ws.WriteControl(websocket.PingMessage, nil, time.Time{}) },
		"pongs":  func(p *probe, _ int) error { return p.ws.WriteControl(websocket.PongMessage, nil, time.Time{}) },
		"empty fragments": func(p *probe, n int) error {
			head := byte(0) // a continuation
			if n == 0 {
				head = websocket.TextMessage
			}
			return raw(p, string([]byte{head, 0})+strings.Repeat("\x00\x00", 16<<10))
		},
		"1 MiB": func(p *probe, _ int) error {
			return p.ws.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", maxMessage)))
		},
	}
	for name, flood := range floods {
		for what, opts := range map[string]ClientOptions{"called": {}, "in a room": {Room: "r"}} {
			t.Run(name+", "+what, func(t *testing.T) {
				onBench(t, opts, func(b *bench) {
					b.media.opened = make(chan *fakeSession, 4*clientLimits.Messages.Burst)
					for round := range 3 {
						p, _ := b.register()
						if opts.Room != "" {
							p.expect("< ROOM r")
							p.say("ROOM_OK ")
						}
						n, most := 0, clientLimits.Messages.Burst+10
						for ; n < most && !p.ended() && flood(p, n) == nil; n++ {
							synctest.Wait()
						}
						if n == most {
							b.Fatalf("round %d: %d came through", round, n)
						}
					}
					<-time.After(2 * time.Second) // the last end has been told of
					if n := strings.Count(b.log.String(), "server sends more than a client accepts"); n < 3 {
						b.Errorf("%d ends are told of", n)
					}
					if n := strings.Count(b.log.String(), "level=WARN"); n != 1 {
						b.Errorf("%d warnings:\n%s", n, b.log.String())
					}
				})
			})
		}
	}
}

// raw writes bytes as they are, past the WebSocket.
func raw(p *probe, bytes string) error {
	_, err := p.ws.NetConn().Write([]byte(bytes))
	return err
}

// ended tells whether the client has closed the connection because too much came.
func (p *probe) ended() bool {
	for {
		select {
		case line := <-p.heard:
			if strings.HasPrefix(line, "! 1008") {
				return true
			}
		default:
			return false
		}
	}
}

// When a server goes on sending after the client's close frame, the client reads no more than a bounded amount of it.
func TestHostileServerGoesOn(t *testing.T) {
	onBench(t, ClientOptions{}, func(b *bench) {
		p, _ := b.register()
		for n := 0; !p.ended() && n < 2*clientLimits.Messages.Burst; n++ {
			if p.ws.WriteMessage(websocket.TextMessage, []byte("x")) != nil {
				break
			}
			synctest.Wait()
		}
		const piece = 64 << 10
		chunk, sent, most := strings.Repeat("\x00", piece), 0, 2*clientLimits.Bytes.Burst
		for sent < most && raw(p, chunk) == nil {
			sent += piece
		}
		if sent >= most {
			b.Errorf("%d bytes were read after the end", sent)
		}
	})
}

// However many members of a room come and go, the client opens only a few sessions a second.
func TestRoomOfPassersBy(t *testing.T) {
	onBench(t, ClientOptions{Room: "r"}, func(b *bench) {
		b.media.opened = make(chan *fakeSession, 4096)
		p, _ := b.register()
		p.expect("< ROOM r")
		p.say("ROOM_OK ")
		const seconds, each = 60, 30
		for i := range seconds * each {
			p.say(fmt.Sprintf("ROOM_PEER_JOINED m%d", i))
			p.say(fmt.Sprintf("ROOM_PEER_MSG m%d %s", i, offerText))
			p.say(fmt.Sprintf("ROOM_PEER_LEFT m%d", i))
			<-time.After(time.Second / each)
		}
		if n, most := len(b.media.opened), openAllowance.Burst+seconds*int(openAllowance.PerSecond); n > most || n < openAllowance.Burst {
			b.Errorf("%d sessions, want %d at most", n, most)
		}
		p.say("ROOM_PEER_MSG stays " + offerText)
		<-time.After(2 * time.Second)
		synctest.Wait()
		for len(b.media.opened) > 1 {
			b.media.next(b.T)
		}
		s := b.media.next(b.T) // those that have left are not before it
		if s.expect(offerText); s.peer != "stays" {
			b.Errorf("the last session is with %q", s.peer)
		}
	})
}

// While a session is being opened the client notices that its peer has gone, and serves other members.
func TestClientDropsAStaleCall(t *testing.T) {
	for what, tc := range map[string]struct {
		opts  ClientOptions
		call  string
		leave func(*bench, *probe)
	}{
		"a member leaves": {
			ClientOptions{Room: "r"},
			"ROOM_PEER_MSG slow " + offerText,
			func(_ *bench, p *probe) { p.say("ROOM_PEER_LEFT slow") },
		},
		"the partner hangs up": {
			ClientOptions{},
			offerText,
			func(b *bench, p *probe) { b.bye(p, websocket.CloseNormalClosure, "") },
		},
		"the server is killed": {ClientOptions{}, offerText, func(_ *bench, p *probe) { p.kill() }},
		"the program ends":     {ClientOptions{}, offerText, func(b *bench, _ *probe) { b.stop() }},
	} {
		t.Run(what, func(t *testing.T) {
			onBench(t, tc.opts, func(b *bench) {
				told := make(chan struct{})
				first := true
				b.media.wait = func(ctx context.Context) error {
					if !first {
						return nil
					}
					first = false
					<-ctx.Done()
					close(told)
					return nil // too late: the session that comes is closed
				}
				p, _ := b.register()
				if tc.opts.Room != "" {
					p.expect("< ROOM r")
					p.say("ROOM_OK ")
				}
				p.say(tc.call)
				synctest.Wait()
				if tc.opts.Room != "" {
					p.say("ROOM_PEER_MSG quick " + offerText)
					b.media.next(b.T).expect(offerText)
				}
				tc.leave(b, p)
				<-told
				b.media.next(b.T).expect("closed")
			})
		})
	}
}

// Our server hangs up on a client that sends nothing but empty fragments of one message.
func TestEmptyFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(ServerOptions{})
		_, dial := newPipeRig(t, s)
		p := dialProbe(t, dial).hello("v")
		head, piece := "\x01\x80mask", strings.Repeat("\x00\x80mask", 8<<10)
		sent, most := 0, 2*clientLimits.Bytes.Burst
		for ; sent < most && !p.ended() && raw(p, head+piece) == nil; sent += len(piece) {
			head = ""
			synctest.Wait()
		}
		if sent >= most {
			t.Errorf("%d bytes were read", sent)
		}
		if got := s.Stats(); got.Flooding != 1 {
			t.Errorf("stats %+v", got)
		}
	})
}
