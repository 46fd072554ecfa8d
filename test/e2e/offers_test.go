//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/sdp/v3"
)

const offersDir = "testdata/offers"

// TestOffersFromTheField posts offers of the shapes that players were seen to write, each to a real webrtcbin, and holds what it gets
// against what is right: testdata/offers/right.txt, a line each. BOARDCAST_OFFERS=write writes down what they get instead.
func TestOffersFromTheField(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(offersDir, "*.sdp"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no offers: %v", err)
	}
	program := StartBoardcast(t, "--width", "320", "--height", "240")
	right := readRight(t)
	got := map[string]string{}
	kinds := map[string]int{}
	for i, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sdp")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = outcomeOf(t, program, i, string(text))
		status, _, _ := strings.Cut(got[name], " ")
		kinds[status]++
		if got[name] != right[name] {
			t.Errorf("%s:\n got  %s\n want %s", name, got[name], right[name])
		}
	}
	t.Logf("%d offers from the field: %v by status", len(files), kinds)
	if os.Getenv("BOARDCAST_OFFERS") == "write" {
		writeRight(t, got)
	}
}

func readRight(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(offersDir, "right.txt"))
	if err != nil {
		t.Error(err)
	}
	right := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, outcome, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			right[name] = outcome
		}
	}
	return right
}

func writeRight(t *testing.T, got map[string]string) {
	t.Helper()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&out, "%s: %s\n", name, got[name])
	}
	if err := os.WriteFile(filepath.Join(offersDir, "right.txt"), []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// outcomeOf posts an offer, from an address of its own, and tells what it was answered, in one line; the session is deleted.
func outcomeOf(t *testing.T, program *Program, n int, offer string) string {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%200))}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ask := func(method, to, body string) (reply, string) {
		r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/sdp")
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return replyOf(resp), string(text)
	}
	base, err := url.Parse(program.Address + "/whep")
	if err != nil {
		t.Fatal(err)
	}
	resp, answer := ask(http.MethodPost, base.String(), offer)
	if resp.StatusCode != http.StatusCreated {
		return strconv.Itoa(resp.StatusCode) + " " + strings.TrimSpace(answer)
	}
	at, err := base.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	ask(http.MethodDelete, at.String(), "")
	return "201 " + inShort(t, answer)
}

// inShort is an answer in one line: its group, and of each section the m-line, the mid, what flows, the first codec, and the extension
// that numbers packets.
func inShort(t *testing.T, answer string) string {
	t.Helper()
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		t.Fatalf("an answer that cannot be read: %v\n%s", err, answer)
	}
	group, _ := d.Attribute("group")
	parts := []string{group}
	for _, m := range d.MediaDescriptions {
		words := []string{m.MediaName.Media, strconv.Itoa(m.MediaName.Port.Value), strings.Join(m.MediaName.Formats, ","), "mid:"}
		mid, _ := m.Attribute("mid")
		words[3] += mid
		for _, name := range []string{"sendonly", "recvonly", "sendrecv", "inactive"} {
			if _, ok := m.Attribute(name); ok {
				words = append(words, name)
			}
		}
		for _, name := range []string{"setup", "rtpmap", "fmtp"} {
			if value, ok := m.Attribute(name); ok {
				words = append(words, value)
			}
		}
		for _, a := range m.Attributes {
			if a.Key == "extmap" || a.Key == "rtcp-fb" && strings.HasSuffix(a.Value, "transport-cc") {
				words = append(words, a.Key+":"+strings.Fields(a.Value)[0])
			}
		}
		parts = append(parts, strings.Join(words, " "))
	}
	return strings.Join(parts, " | ")
}
