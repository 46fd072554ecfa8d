package ice

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCredentials holds the form against values made by `openssl dgst -sha1 -hmac`.
func TestCredentials(t *testing.T) {
	user, password := credentials("north", time.Unix(1800000000, 0))
	if user != "1800000000:boardcast" || password != "ZLp2ZEWewwUU2HMawLO6yvXElgA=" {
		t.Errorf("%s %s", user, password)
	}
}

func TestServers(t *testing.T) {
	now := time.Unix(1700000000, 0)
	p := New(Options{
		STUN: "stun://s:3478", TURN: []string{"turn://u:p%2Fq@a:3478?transport=tcp"},
		Shared: []string{"turn://b:3478", "turns://b:5349"}, Secret: "north", Lifetime: time.Hour, now: func() time.Time { return now },
	})
	user, password := credentials("north", now.Add(time.Hour))
	want := []Server{
		{URL: "stun:s:3478"},
		{URL: "turn:a:3478?transport=tcp", Username: "u", Credential: "p/q"},
		{URL: "turn:b:3478", Username: user, Credential: password},
		{URL: "turns:b:5349", Username: user, Credential: password},
	}
	if diff := cmp.Diff(want, p.Servers()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	now = now.Add(time.Minute)
	if later := p.Servers()[2]; later.Username == user || later.Credential == password {
		t.Errorf("a minute later the credentials are still %s", later.Username)
	}
	if got := New(Options{}).Servers(); len(got) != 0 {
		t.Errorf("without servers: %v", got)
	}
}

// TestTURNOfAgent reads the URLs as webrtcbin does: the user up to the first colon, each part percent-decoded.
func TestTURNOfAgent(t *testing.T) {
	p := New(Options{
		TURN: []string{"turns://u:p@a:5349"}, Shared: []string{"turn://b:3478?transport=udp", "turns://c:443"}, Secret: "north", Lifetime: time.Hour,
	})
	if err := p.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.tunnels.all["a:5349"].at.Close()
	defer p.tunnels.all["c:443"].at.Close()
	path, err := p.Join(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(path.TURN) != 3 {
		t.Fatalf("%d URLs", len(path.TURN))
	}
	for i, text := range path.TURN {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "turn" {
			t.Fatalf("URL %d: %s, %v", i, u.Redacted(), err)
		}
		if tunnelled := strings.HasPrefix(u.Host, "127.0.0.1:") && u.RawQuery == "transport=tcp"; tunnelled != (i != 1) {
			t.Errorf("URL %d leads to %s?%s", i, u.Host, u.RawQuery)
		}
		raw, _, _ := strings.Cut(strings.TrimPrefix(text, "turn://"), "@")
		if strings.Count(raw, ":") != 1 || strings.ContainsAny(raw, "/+ ") && i > 0 && strings.Contains(raw, "/") {
			t.Errorf("URL %d has an unclear user", i)
		}
	}
	if u, _ := url.Parse(path.TURN[0]); u.User.Username() != "u" {
		t.Errorf("the user of the first is %q", u.User.Username())
	}
}
