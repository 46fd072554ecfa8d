package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const secret = "s3cr3t"

func TestSecretsNeverShow(t *testing.T) {
	c := load(t, Options{Flags: map[string]string{
		"ice.turn":          "turn://user:" + secret + "@host:1?transport=tcp",
		"signalling.server": "wss://user:" + secret + "@host/ws?token=" + secret,
		"whip.url":          "https://host/whip?key=" + secret,
		"whip.token":        secret,
		"ice.turn-rest":     "turn://host", "ice.turn-secret": secret,
	}})
	if c.ICE.TURNSecret.Full() != secret {
		t.Fatalf("the secret of the TURN servers is %q", c.ICE.TURNSecret.Full())
	}
	if c.WHIP.Token.Full() != secret || c.WHIP.URL.Full() != "https://host/whip?key="+secret {
		t.Fatalf("the token and the URL for the server are %q, %q", c.WHIP.Token.Full(), c.WHIP.URL.Full())
	}
	if got, want := c.ICE.TURN[0].Full(), "turn://user:"+secret+"@host:1?transport=tcp"; got != want {
		t.Fatalf("Full = %s, want %s", got, want)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("x", "config", c, "turn", c.ICE.TURN[0], "all", c.ICE.TURN, "ice", c.ICE)
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	prints := map[string]string{"slog": log.String(), "json": string(asJSON), "String": c.String(), "settings": fmt.Sprint(c.Settings())}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for name, v := range map[string]any{"config": c, "copy": *c, "ice": c.ICE, "server": c.Signalling.Server, "whip": c.WHIP, "token": c.WHIP.Token} {
			prints[name+" "+verb] = fmt.Sprintf(verb, v)
		}
	}
	hex := fmt.Sprintf("%x", secret)
	for name, text := range prints {
		if strings.Contains(text, secret) || strings.Contains(text, hex) {
			t.Errorf("%s shows the password: %s", name, text)
		}
	}
	if want := "ice.turn=turn://user:***@host:1?transport=tcp"; !strings.Contains(c.String(), want) {
		t.Errorf("String = %s, want %s in it", c, want)
	}
	if want := "config.ice_turn=\"turn://user:***@host:1?transport=tcp\""; !strings.Contains(log.String(), want) {
		t.Errorf("log = %s, want %s in it", log.String(), want)
	}
}

// TestErrorsShowNoSecret has the password in every place where a mistake may
// move it.
func TestErrorsShowNoSecret(t *testing.T) {
	for _, text := range []string{
		"turn://user:" + secret, "turn:user:" + secret + "@host", "user:" + secret + "@host", "turn://" + secret + "@host",
		"turn://a:b:" + secret + "@host", "turn://a:" + secret + "@b@host", "turn://a:b/" + secret + "@host",
		"turn://a:b@host:" + secret, "turn://a:b@host/" + secret, "turn://a:b@host?x=" + secret, "turn://a:b@host#" + secret,
		"turn://a:%zz" + secret + "@host", "turn://a: " + secret + "@host", "http://a:" + secret + "@host", secret,
		"turn://a:" + secret + "\x00@host", "turnss://a:" + secret + "@host",
	} {
		for _, key := range []string{"ice.turn", "ice.stun", "signalling.server", "whip.url"} {
			_, err := Load(Options{Flags: map[string]string{key: text}})
			if err == nil {
				t.Errorf("%s %q is taken", key, text)
				continue
			}
			if key == "ice.turn" && strings.Contains(err.Error(), secret) {
				t.Errorf("%s %q: %v", key, text, err)
			}
		}
	}
}

// TestMistakesOfFormShowNoSecret has the password in files that are not written as YAML wants it.
func TestMistakesOfFormShowNoSecret(t *testing.T) {
	const turn = "turn://user:" + secret + "@host"
	for _, text := range []string{
		"whip:\n  token:" + secret + "\n", "whip:\n  token:" + secret + "\n  url: https://host\n", "whip: {token:" + secret + "}\n",
		"ice:\n  turn:" + turn + "\n", "ice:\n  turn:\n    -" + turn + "\n", "ice:\n  turn:\n    - " + turn + "\n    -" + turn + "\n",
		"ice:\n  turn: turn://user: " + secret + "@host\n", "ice:\n  turn: [\u201c" + turn + "\u201d]\n", "ice:\n\tturn: " + turn + "\n",
		"signalling:\n  server:wss://user:" + secret + "@host\n", "whip: {url: 'https://host', token: '${" + secret + "}'}\n",
		"whip:\n  token: \u201c" + secret + "\u201d\n", "whip: {token:" + secret + ": , token:" + secret + ": }\n", "token: " + secret + "\n", "ice:\n  password: " + secret + "\n",
	} {
		_, err := Load(Options{File: write(t, text)})
		problems, ok := errors.AsType[Problems](err)
		if !ok {
			t.Errorf("%q: %v, want problems", text, err)
		}
		for _, p := range problems {
			if told := p.Error() + " " + p.Hint(); strings.Contains(told, secret) {
				t.Errorf("%q: %s", text, told)
			}
		}
	}
}

func TestTokenIsPlainText(t *testing.T) {
	for _, text := range []string{secret + " ", secret + "\n", "ü" + secret, secret + "\x00", strings.Repeat(secret, 1000)} {
		_, err := Load(Options{Flags: map[string]string{"whip.token": text, "whip.url": "https://host"}})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := Load(Options{Flags: map[string]string{"whip.token": secret}})
	if err == nil || !strings.Contains(err.Error(), "needs whip.url") || strings.Contains(err.Error(), secret) {
		t.Errorf("a token without a URL: %v", err)
	}
}
