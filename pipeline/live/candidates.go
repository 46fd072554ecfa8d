package live

import (
	"net/netip"

	"golang.org/x/time/rate"

	"boardcast/internal/sdp"
)

// Bounds of a viewer's candidates beside [sdp.MaxCandidates].
const (
	maxNames      = 8  // by mDNS, each of which is looked up; a browser has one for each of its addresses
	candidateRate = 10 // a second; a browser sends all it has within one
	maxUnplaced   = 64 // that wait for the description they belong to, also such as are of no use
)

// candidate is one of the viewer's, with webrtcbin's section.
type candidate struct {
	section int
	sdp.Candidate
}

// candidates are the viewer's, as far as they were taken: few, each once, and none that would have us knock at doors which the viewer
// itself cannot reach.
type candidates struct {
	limit   *rate.Limiter
	seen    map[string]bool
	names   int
	waiting []Message      // came before the description they belong to
	found   chan candidate // names that were looked up
}

func newCandidates() candidates {
	return candidates{
		limit: rate.NewLimiter(candidateRate, sdp.MaxCandidates), seen: map[string]bool{}, found: make(chan candidate, 2*maxNames),
	}
}

// takeCandidate takes one that came by itself.
func (v *Viewer) takeCandidate(m Message) {
	switch c := &v.candidates; {
	case m.MLine < 0:
	case v.neg.remote:
		v.placeCandidate(m)
	case len(c.waiting) < maxUnplaced:
		c.waiting = append(c.waiting, m)
	}
}

func (v *Viewer) placeCandidate(m Message) {
	parsed, ok := sdp.ParseCandidate(m.Candidate)
	section := v.neg.agreed.MLine(m.MLine)
	if !ok || section < 0 {
		v.log.Debug("candidate ignored", "section", m.MLine)
		return
	}
	v.candidates.add(v, candidate{section, parsed})
}

// release takes what came before the description: with it, and alone.
func (c *candidates) release(v *Viewer) {
	for i, s := range v.neg.theirs.Sections {
		for _, one := range s.Candidates {
			if section := v.neg.agreed.MLine(i); section >= 0 {
				c.add(v, candidate{section, one})
			}
		}
	}
	waiting := c.waiting
	c.waiting = nil
	for _, m := range waiting {
		v.placeCandidate(m)
	}
}

// add takes a candidate of the viewer's unless a bound forbids it; a name is looked up first.
func (c *candidates) add(v *Viewer, one candidate) {
	if one.Name != "" && (c.names >= maxNames || one.Port == 0) || !c.limit.Allow() {
		return
	}
	if one.Name == "" {
		c.give(v, one)
		return
	}
	c.names++
	v.b.opts.Names.ask(one.Name, func(a netip.Addr) {
		select {
		case c.found <- candidate{one.section, one.At(a)}:
		default:
		}
	})
}

// give hands a candidate to webrtcbin, each once, and few.
func (c *candidates) give(v *Viewer, one candidate) {
	key := one.Candidate
	key.Foundation, key.Priority = "", 0
	if text := key.String(); one.Usable() && !c.seen[text] && len(c.seen) < sdp.MaxCandidates {
		c.seen[text] = true
		v.peer.AddCandidate(one.section, one.String())
	}
}
