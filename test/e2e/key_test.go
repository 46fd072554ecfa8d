//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// endedWithin is how soon a viewer has gone whose key was changed.
const endedWithin = 2 * time.Second

// TestKey opens the link with the key in a browser: the picture plays, and the key leaves the address. It opens without a key: the page
// is locked, and the key typed there opens it. When the key is changed the picture ends, and the page says why.
func TestKey(t *testing.T) {
	for _, kind := range []Kind{Chromium, Firefox} {
		t.Run(string(kind), func(t *testing.T) {
			program := StartLocked(t, "--listen", BoardAddr+":0", "--width", "320", "--height", "240")
			browser := browsers.Launch(t, kind)
			linked := browser.Open(t, program.link()+"&camera=")
			linked.Arrived(`location.search === "?camera=" && !!globalThis.boardcast`)
			linked.WaitPlaying(30)
			var cookies string
			if linked.Eval("document.cookie", &cookies); cookies != "" {
				t.Errorf("the page's scripts can read the cookie: %s", cookies)
			}

			typed := browser.Open(t, program.Address+"/")
			var heading string
			if typed.Eval("document.querySelector('h1').textContent", &heading); heading != "This camera is locked" {
				t.Errorf("without a key the page says %q", heading)
			}
			typed.Eval(fmt.Sprintf("void (document.getElementById('key').value = %q)", "wrong"), nil)
			typed.Click("button")
			typed.Arrived(`document.querySelector('[role="alert"]')?.textContent.includes("not right") === true`)
			typed.Eval(fmt.Sprintf("void (document.getElementById('key').value = %q)", strings.ToUpper(program.keys.viewer)), nil)
			typed.Click("button")
			typed.Arrived("!!globalThis.boardcast")
			typed.WaitPlaying(30)
			assertViewers(t, program, 2)

			program.keys.renew(t)
			began := time.Now()
			for _, page := range []*Page{linked, typed} {
				page.Until(`boardcast.state === "locked" && boardcast.pc === null && getComputedStyle(document.getElementById("still")).opacity === "0"`, callWithin)
			}
			assertViewers(t, program, 0)
			if took := time.Since(began); took > endedWithin {
				t.Errorf("the viewers of the old key have gone after %v, want %v at most", took, endedWithin)
			} else {
				t.Logf("the viewers of the old key have gone after %v", took.Round(time.Millisecond))
			}
			typed.Click("#unlock")
			typed.Arrived("document.querySelector('h1')?.textContent === 'This camera is locked'")
		})
	}
}

// TestOpenPage plays without a key where keys are turned off. The page says so all the time, the status too.
func TestOpenPage(t *testing.T) {
	program := StartBoardcast(t, "--listen", BoardAddr+":0", "--width", "320", "--height", "240")
	page := browsers.Launch(t, Chromium).Open(t, program.Address+"/?key=old")
	page.Arrived(`location.search === "" && !!globalThis.boardcast`)
	page.WaitPlaying(10)
	page.Until(`document.getElementById("open").checkVisibility()`, callWithin)
	if _, text := request(t, http.MethodGet, program.Address+"/api/status", "", ""); !strings.Contains(text, `"open":true`) {
		t.Errorf("the status is %.200s", text)
	}
}

// TestLinkOfAnotherSite follows a link of another site, with the key and then without. The browser sends the page's cookie to
// neither, and the page plays.
func TestLinkOfAnotherSite(t *testing.T) {
	program := StartLocked(t, "--listen", BoardAddr+":0", "--width", "320", "--height", "240")
	portal := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><a id="link" href="%s/%s">the camera</a>`, program.Address, strings.TrimPrefix(r.URL.RawQuery, "to="))
	}))
	_, port, _ := strings.Cut(portal, ":")
	browser := browsers.Launch(t, Chromium, "--host-resolver-rules=MAP portal.example "+BoardAddr)
	page := browser.Open(t, "http://portal.example:"+port+"/?to=?key="+program.keys.viewer)
	page.Click("#link")
	page.Arrived(`location.search === "" && !!globalThis.boardcast`)
	page.WaitPlaying(10)
	page.Eval(fmt.Sprintf("void (location.href = %q)", "http://portal.example:"+port+"/"), nil)
	page.Arrived(`!!document.getElementById("link")`)
	page.Click("#link")
	page.Arrived("!!globalThis.boardcast")
	page.WaitPlaying(10)
}

// TestRebinding opens the board by a name of another site, which that site makes lead to the board, as a browser with the right key:
// it gets nothing on any path.
func TestRebinding(t *testing.T) {
	program := StartLocked(t, "--listen", BoardAddr+":0")
	_, port, _ := strings.Cut(strings.TrimPrefix(program.Address, "http://"), ":")
	evil := "http://evil.example:" + port
	browser := browsers.Launch(t, Chromium, "--host-resolver-rules=MAP evil.example "+BoardAddr)
	page := browser.Open(t, evil+"/?key="+program.keys.viewer)
	var text string
	if page.Eval("document.body.innerText", &text); !strings.Contains(text, "does not know the name") {
		t.Errorf("the page is %q", text)
	}
	for _, path := range []string{"/", "/app.js", "/health", "/config.json", "/api/status", "/api/cameras", "/whep"} {
		var status int
		page.Eval(fmt.Sprintf("fetch(%q, {headers: {Authorization: %q}}).then((r) => r.status)", path, "Bearer "+program.keys.owner), &status)
		if status != http.StatusMisdirectedRequest {
			t.Errorf("%s is answered %d, want 421", path, status)
		}
	}
	var opened bool
	page.Eval(`new Promise((done) => {
		const socket = new WebSocket("ws://" + location.host + "/ws");
		socket.onopen = () => done(true);
		socket.onerror = () => done(false);
	})`, &opened)
	if opened {
		t.Error("a WebSocket opens")
	}
}

// TestKeyOfWHEP plays by WHEP in a pion with a bearer token, of a key that is for one camera. The key is taken away: the media end.
func TestKeyOfWHEP(t *testing.T) {
	program := startLocked(t, "--listen", BoardAddr+":0", "--config", settings(t, twoCameras))
	guest := program.keys.add(t, "guest", "--camera", "front")
	for path, want := range map[string]int{"/whep": http.StatusUnauthorized, "/whep/rear": http.StatusUnauthorized} {
		if response, _ := request(t, http.MethodPost, program.Address+path, "application/sdp", "v=0"); response.StatusCode != want ||
			len(response.Header.Values("WWW-Authenticate")) != 2 {
			t.Errorf("%s without a key: %s, %q", path, response.Status, response.Header.Values("WWW-Authenticate"))
		}
	}
	authorization := []string{"Authorization", "Bearer " + guest}
	waitFor(t, "the guest's key", func() bool {
		response, _ := request(t, http.MethodGet, program.Address+"/whep/front", "", "", authorization...)
		return response.StatusCode == http.StatusNoContent
	})
	if response, _ := request(t, http.MethodPost, program.Address+"/whep/rear", "application/sdp", "v=0", authorization...); response.StatusCode != http.StatusForbidden {
		t.Errorf("the other camera: %s", response.Status)
	}
	p := newPion(t)
	p.headers = authorization
	p.receive(picture, sound)
	session := p.playWHEP(program.Address + "/whep/front")
	waitFor(t, "a picture", func() bool { track := p.track(picture); return track != nil && track.frames > 0 })
	assertViewers(t, program, 1)

	program.keys.command(t, "remove", "guest")
	began := time.Now()
	assertViewers(t, program, 0)
	took := time.Since(began)
	last := p.track(picture).packets
	<-time.After(watchFor)
	if came := p.track(picture).packets - last; came > 0 {
		t.Errorf("%d packets came after its end", came)
	}
	t.Logf("the player has gone %v after its key was removed", took.Round(time.Millisecond))
	if took > endedWithin {
		t.Errorf("want %v at most", endedWithin)
	}
	if response, _ := request(t, http.MethodDelete, session.url, "", "", authorization...); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("its session is answered %s", response.Status)
	}
	if response, _ := request(t, http.MethodDelete, session.url, "", "", "Authorization", "Bearer "+program.keys.viewer); response.StatusCode != http.StatusNotFound {
		t.Errorf("its session is answered %s to a right key", response.Status)
	}
}

// TestKeyOfServer has the streamer register at a server that asks for a key, which stands in the server's address.
func TestKeyOfServer(t *testing.T) {
	server := startLocked(t, "server", "--listen", BoardAddr+":0")
	host := strings.TrimPrefix(server.Address, "http://")
	board := StartBoardcast(t, "--listen", BoardAddr+":0", "--width", "320", "--height", "240", "--id", "garden", "--log-level", "debug",
		"--server", "ws://viewer:"+server.keys.viewer+"@"+host)
	_, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+host+"/", nil) //nolint:bodyclose // there is none to close
	if err == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a peer without a key: %v", err)
	}
	page := browsers.Launch(t, Chromium).Open(t, server.link()+"#peer=garden")
	page.Arrived(`location.search === "" && !!globalThis.boardcast`)
	page.WaitPlaying(10)
	if key := server.keys.in(board.whole()); key != "" {
		t.Errorf("the board's log has the key %s", key)
	}
}
