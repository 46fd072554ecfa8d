package configs

import "fmt"

// check finds settings that are valid each by itself but do not go together. The
// problem is reported of the key in the rule.
func (c *Config) check(from map[string]Source) Problems {
	s, i, many := c.Signalling, c.ICE, len(c.Cameras) > 1
	rules := []struct {
		broken      bool
		key, reason string
	}{
		{c.Page.TLS.Cert != "" && c.Page.TLS.Key == "", "tls.cert", "needs tls.key too"},
		{c.Page.TLS.Key != "" && c.Page.TLS.Cert == "", "tls.key", "needs tls.cert too"},
		{c.Page.TLS.Mode == Auto && c.Page.TLS.Cert != "", "tls.mode", "auto makes a certificate of its own, and tls.cert names one: leave one of them out"},
		{s.Peer != "" && s.Server.IsZero(), "signalling.peer", "needs signalling.server"},
		{s.Room != "" && s.Server.IsZero(), "signalling.room", "needs signalling.server"},
		{s.Peer != "" && s.Room != "", "signalling.peer", "cannot be used together with signalling.room: call one peer or serve a room"},
		{s.Peer != "" && s.Peer == s.ID, "signalling.peer", "is this board's own signalling.id"},
		{!c.WHIP.Token.IsZero() && c.WHIP.URL.IsZero(), "whip.token", "needs whip.url"},
		{len(i.TURNRest) > 0 && i.TURNSecret.IsZero(), "ice.turn-rest", "needs ice.turn-secret"},
		{i.Port.Has(i.TCPPort), "ice.tcp-port", "is one of ice.port: those are for one viewer each, this one is for all"},
		{many && s.Peer != "", "signalling.peer", "cannot be used with several cameras: one peer plays one; let them be called instead"},
		{many && s.Room != "", "signalling.room", "cannot be used with several cameras: they would call one another"},
		{len(c.Cameras) > mostCameras, camerasKey, fmt.Sprintf("are %d, at most %d are served", len(c.Cameras), mostCameras)},
		{c.twice() != "", camerasKey, fmt.Sprintf("has %q twice", c.twice())},
		{s.CA != "" && s.Insecure, "signalling.insecure", "makes signalling.ca useless: leave one of them out"},
	}
	var problems Problems
	for _, r := range rules {
		if r.broken {
			problems = append(problems, &Problem{Source: from[r.key], Key: r.key, Reason: r.reason})
		}
	}
	return problems
}
