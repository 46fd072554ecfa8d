//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tcpWithin is how long a page may take to play where UDP does not get through.
const tcpWithin = 5 * time.Second

// TestTCP drops all UDP between two pages and the board: both play by the one TCP port. A browser that tells its addresses has the board
// try UDP first, which takes two seconds.
func TestTCP(t *testing.T) {
	onlyThrough(t, "tcp dport { 8080, 8081 }")
	program := StartBoardcast(t, "--config", settings(t, "ice: { tcp-port: 8081 }\n"), "--width", "640", "--height", "480")
	program.WaitLine("stdout", regexp.MustCompile(`^  encoder: `), startWithin) // a first start tries them, which is not TCP's business
	for name, flags := range map[string][]string{"hidden addresses": nil, "told addresses": turnFlags} {
		t.Run(name, func(t *testing.T) {
			browser := browsers.Launch(t, Chromium, flags...)
			begin := time.Now()
			page := browser.Open(t, program.Address+"/")
			page.WaitPlaying(1)
			took := time.Since(begin)
			if took > tcpWithin {
				t.Errorf("the first frame came after %v, want at most %v", took, tcpWithin)
			}
			other := browser.Open(t, program.Address+"/")
			other.WaitPlaying(30)
			for _, p := range []*Page{page, other} {
				if pair := p.Pair(); pair.Protocol != "tcp" || pair.Address != BoardAddr || pair.Port != 8081 {
					t.Errorf("a page is connected by %+v, want TCP to %s:8081", pair, BoardAddr)
				}
			}
			first, at := page.Stats().Frames, time.Now()
			last := page.WaitPlaying(first + 150)
			rate := float64(last.Frames-first) / time.Since(at).Seconds()
			shown := page.played()["video"]
			t.Logf("first frame after %v, then %.1f frames/s, shown %.0f ms after they were captured",
				took.Round(time.Millisecond), rate, shown.At-shown.Captured)
			page.WaitMoving()
		})
	}
}

// TestContainer runs the board in a network of its own, which a browser reaches by two ports of the host alone: one for the page, one
// for the media.
func TestContainer(t *testing.T) {
	container := NewContainer(t, map[string]string{"tcp dport 8080": "", "udp dport 50000": ""})
	container.Start("--config", settings(t, "ice: { port: 50000, addresses: ["+BoardAddr+"] }\nviewers: { max: 1 }\n"))
	page := browsers.Launch(t, Chromium).Open(t, "http://"+BoardAddr+":8080/")
	page.WaitPlaying(30)
	if pair := page.Pair(); pair.Protocol != "udp" || pair.Address != BoardAddr || pair.Port != 50000 {
		t.Errorf("the page is connected by %+v, want UDP to %s:50000", pair, BoardAddr)
	}
	page.WaitMoving()
}

// TestNoPort has two viewers where the range has one port: the second is told that the board is full, and the log says why.
func TestNoPort(t *testing.T) {
	program := StartBoardcast(t, "--config", settings(t, "ice: { port: 50000 }\nviewers: { max: 2 }\n"))
	program.WaitLine("stderr", regexp.MustCompile(`fewer ports than viewers.* ports=1 viewers_max=2`), startWithin)
	browser := browsers.Launch(t, Chromium)
	first, second := browser.Open(t, program.Address+"/"), browser.Open(t, program.Address+"/")
	first.WaitPlaying(30)
	second.Until(`boardcast.state === "busy"`, callWithin)
	program.WaitLine("stderr", regexp.MustCompile(`viewer refused.*no free port among ice.port 50000: each viewer takes one; 1 are taken by viewers`), callWithin)
	first.Close()
	second.WaitPlaying(30)
}

// TestInterfaces leaves an interface out of what a player of WHEP is told. (A page is told the address of its own network alone.)
func TestInterfaces(t *testing.T) {
	for _, line := range []string{"link add other type veth peer name end", "addr add 10.1.0.1/16 dev other", "link set other up", "link set end up"} {
		ip(t, false, line)
	}
	t.Cleanup(func() { ip(t, false, "link del other") })
	for name, tt := range map[string]struct {
		settings string
		told     bool
	}{
		"all": {"", true}, "left out": {"ice: { leave-out: [oth*] }\n", false}, "named": {"ice: { interfaces: [board] }\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			pages, _ := servePages(t)
			origins := "signalling: { origins: [" + strings.TrimSuffix(pages, "/testdata/") + "] }\n"
			program := StartBoardcast(t, "--config", settings(t, origins+tt.settings))
			page := browsers.Launch(t, Chromium).Open(t, pages+"whep.html?"+url.Values{"whep": {program.Address + "/whep"}}.Encode())
			page.Until("boardcast.answer", playWithin)
			var answer string
			page.Eval("boardcast.answer", &answer)
			if !strings.Contains(answer, " "+BoardAddr+" ") || strings.Contains(answer, " 10.1.0.1 ") != tt.told {
				t.Errorf("want the address of the other interface: %v; the answer has\n%s", tt.told, answer)
			}
			if !tt.told { // libnice may wait for an address of which no answer comes back
				page.WaitPlaying(1)
			}
		})
	}
}

// relayOnly lets a browser reach the board's page and the TURN server, and nothing else of the board's.
func relayOnly(t *testing.T) { onlyThrough(t, "tcp dport 8080", "udp dport 3478") }

// TestTURN leaves a page no way to the board but a relay, by each transport: one that the page asks the TURN server for, and one that the
// board does. Nothing that holds for the TURN server is in the program's output.
func TestTURN(t *testing.T) {
	relays := fmt.Sprintf("udp dport %d-%d", relayFirst, relayLast)
	for _, tt := range []struct{ side, transport, url, port string }{
		{"page", "udp", "turn://" + BoardAddr + "?transport=udp", "udp dport 3478"},
		{"page", "tcp", "turn://" + BoardAddr + "?transport=tcp", "tcp dport 3478"},
		{"page", "tls", "turns://" + BoardAddr, "tcp dport 5349"},
		{"board", "udp", "turn://" + BoardAddr + "?transport=udp", relays},
		{"board", "tcp", "turn://" + BoardAddr + "?transport=tcp", relays},
		{"board", "tls", "turns://" + BoardAddr, relays},
	} {
		t.Run(tt.side+" "+tt.transport, func(t *testing.T) {
			server := StartTURN(t)
			t.Setenv("SSL_CERT_FILE", server.Certificate) // for the board, which checks it
			onlyThrough(t, "tcp dport 8080", tt.port)
			program := StartBoardcast(t, "--log-level", "debug", "--config", settings(t, turnSettings(tt.url)))
			page := browsers.Launch(t, Chromium, turnFlags...).Open(t, program.Address+"/")
			page.WaitPlaying(30)
			pair := page.Pair()
			if tt.side == "page" && (pair.Kind != "relay" || pair.Relay != tt.transport) {
				t.Errorf("the page is connected by %+v, want a relay of its own by %s", pair, tt.transport)
			}
			if tt.side == "board" && (pair.Kind == "relay" || pair.Theirs != "relay" || pair.Port < relayFirst || pair.Port > relayLast) {
				t.Errorf("the page is connected by %+v, want a relay of the board's", pair)
			}
			if tt.transport == "tls" { // coturn takes plain TCP at that port too
				server.WaitLine("stdout", regexp.MustCompile(`session \d+: new,.* method=TLS`), callWithin)
			}
			for _, secret := range []string{regexp.QuoteMeta(turnSecret), `\d{10}(:|%3A)boardcast`} {
				for _, stream := range []string{"stdout", "stderr"} {
					if found, _, _ := program.find(stream, regexp.MustCompile(secret)); found != nil {
						t.Errorf("%s has %q", stream, found)
					}
				}
			}
		})
	}
}

// turnFlags have a browser take the TURN server's certificate, and tell the board its address: without that the board cannot let it use a
// relay of the board's.
var turnFlags = []string{"--ignore-certificate-errors", "--disable-features=WebRtcHideLocalIpsWithMdns"}

func turnSettings(url string) string {
	return "ice: { turn-rest: [\"" + url + "\"], turn-secret: " + turnSecret + ", turn-lifetime: 10s }\n"
}

// TestCredentialsEnd: the TURN server takes a page's credentials no longer than they say. The page plays on, and when its session ends
// it fetches new ones.
func TestCredentialsEnd(t *testing.T) {
	StartTURN(t)
	relayOnly(t)
	config := settings(t, turnSettings("turn://"+BoardAddr+"?transport=udp"))
	program := StartBoardcast(t, "--config", config)
	page := browsers.Launch(t, Chromium, turnFlags...).Open(t, program.Address+"/")
	page.WaitPlaying(30)
	var given struct {
		ICEServers []struct{ Username, Credential string }
	}
	page.Eval(`fetch("config.json").then((answer) => answer.json())`, &given)
	user, password := given.ICEServers[0].Username, given.ICEServers[0].Credential
	if err := allocate(t, user, password); err != nil {
		t.Fatalf("new credentials: %v", err)
	}
	until, _, _ := strings.Cut(user, ":")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	ended := refusedFrom(t, user, password)
	if early := time.Unix(seconds, 0).Sub(ended); early > 0 || early < -callWithin {
		t.Errorf("the credentials ended %v before their time", early)
	}
	page.WaitPlaying(page.Stats().Frames + 30)
	page.Eval("(globalThis.before = boardcast.pc) && null", nil)
	program.Kill()
	StartBoardcast(t, "--config", config)
	page.Until(`boardcast.pc && boardcast.pc !== before`, playWithin)
	page.WaitPlaying(30)
	if pair := page.Pair(); pair.Kind != "relay" {
		t.Errorf("the page is connected by %+v, want a relay", pair)
	}
}

// refusedFrom is when the TURN server first refused the credentials.
func refusedFrom(t *testing.T, user, password string) time.Time {
	t.Helper()
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(callWithin)
	for {
		if err := allocate(t, user, password); err != nil {
			return time.Now()
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("the credentials do not end")
		}
	}
}
