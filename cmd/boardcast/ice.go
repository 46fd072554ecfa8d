package main

import (
	"net/url"

	"boardcast/configs"
	"boardcast/internal/web"
)

func turnURLs(cfg *configs.Config) []string {
	out := make([]string, 0, len(cfg.ICE.TURN))
	for _, u := range cfg.ICE.TURN {
		out = append(out, u.Full())
	}
	return out
}

// iceServers translates STUN and TURN from GStreamer's spelling (turn://user:pass@host:port) to the browser's.
func iceServers(cfg *configs.Config) []web.ICEServer {
	var out []web.ICEServer
	for _, text := range append([]string{cfg.ICE.STUN.Full()}, turnURLs(cfg)...) {
		u, err := url.Parse(text)
		if err != nil || text == "" {
			continue
		}
		s := web.ICEServer{URLs: []string{u.Scheme + ":" + u.Host}}
		if u.RawQuery != "" {
			s.URLs[0] += "?" + u.RawQuery
		}
		if u.User != nil {
			s.Username = u.User.Username()
			s.Credential, _ = u.User.Password()
		}
		out = append(out, s)
	}
	return out
}
