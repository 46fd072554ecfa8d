//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestWHEP plays by plain fetch, from a page of another origin: the offer, the candidates that follow, hanging up.
func TestWHEP(t *testing.T) {
	tests := []struct {
		name  string
		kind  Kind
		codec string
		want  string
	}{
		{"chromium", Chromium, "auto", "video/H264"},
		{"chromium vp8", Chromium, "vp8", "video/VP8"},
		{"firefox", Firefox, "auto", "video/VP8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pages, _ := servePages(t)
			args := append(allow(t, pages), "--codec", tt.codec, "--width", "320", "--height", "240", "--stun", "stun://"+BoardAddr+":9")
			program := StartBoardcast(t, args...)
			begin := time.Now()
			page := browsers.Launch(t, tt.kind).Open(t, pages+"whep.html?"+url.Values{"whep": {program.Address + "/whep"}}.Encode())
			stats := page.WaitPlaying(90)
			t.Logf("90 frames after %v", time.Since(begin).Round(time.Millisecond))
			if stats.Width != 320 || stats.Codec != tt.want || !strings.EqualFold(stats.AudioCodec, "audio/opus") {
				t.Errorf("stats = %+v, want %s at 320x240 and audio/opus", stats, tt.want)
			}
			page.WaitMoving()
			if tt.kind == Chromium {
				page.WaitSound()
			}
			var seen struct {
				Status  map[string]int
				Headers map[string]string
				Answer  string
			}
			page.Eval("({status: boardcast.status, headers: boardcast.headers, answer: boardcast.answer})", &seen)
			if seen.Status["post"] != 201 || seen.Status["patch"] != 204 || seen.Status["candidates"] == 0 {
				t.Errorf("status %v, want 201, 204 and candidates", seen.Status)
			}
			if got := seen.Headers["link"]; got != "<stun:"+BoardAddr+`:9>; rel="ice-server"` {
				t.Errorf("Link %q", got)
			}
			if strings.Count(seen.Answer, "a=sendonly") != 2 || !strings.Contains(seen.Answer, "a=candidate:") {
				t.Errorf("answer without two sendonly sections and candidates:\n%s", seen.Answer)
			}
			assertViewers(t, program, 1)
			var status int
			page.Eval("boardcast.hangUp()", &status)
			if status != http.StatusOK {
				t.Errorf("DELETE answered %d", status)
			}
			assertViewers(t, program, 0)
			page.Eval("boardcast.hangUp()", &status)
			if status != http.StatusNotFound {
				t.Errorf("DELETE of what is gone answered %d", status)
			}
		})
	}
}

// assertViewers waits until the program counts so many viewers.
func assertViewers(t *testing.T, program *Program, want int) {
	t.Helper()
	deadline := time.After(callWithin)
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		viewers := viewersOf(t, program)
		if len(viewers) == want {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("viewers %v, want %d", viewers, want)
		}
	}
}

// viewersOf are the states of the program's viewers, by id.
func viewersOf(t *testing.T, program *Program) map[string]string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.Address+"/api/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	program.keys.ownerOf(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Media struct {
			Viewers []struct{ ID, State string }
		}
	}
	if err := json.Unmarshal(text, &status); err != nil {
		t.Fatalf("status %.200q: %v", text, err)
	}
	found := map[string]string{}
	for _, v := range status.Media.Viewers {
		found[v.ID] = v.State
	}
	return found
}
