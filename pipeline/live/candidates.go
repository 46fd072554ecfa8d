package live

import (
	"net/netip"

	"golang.org/x/time/rate"

	"boardcast/internal/sdp"
)

// maxNames is how many ICE candidates with an mDNS name are taken of a viewer. Each is looked up; a browser has one for each of its
// addresses.
const maxNames = 8

// candidateRate is how many ICE candidates are taken a second in the long run. [sdp.MaxCandidates] may come at once: a browser sends all it
// has within a second.
const candidateRate = 10

// maxUnplaced is how many ICE candidates may wait for the description that they belong to, also those that will turn out to be of no
// use: about twice what is taken of a viewer.
const maxUnplaced = 64

// candidate is one ICE candidate of the viewer's, with the section by webrtcbin's count.
type candidate struct {
	section int
	sdp.Candidate
}

// candidates are the ICE candidates of a viewer that were taken: few, each once, and none with an address that the viewer itself cannot
// reach (see [sdp.Candidate.Usable]).
type candidates struct {
	limit   *rate.Limiter
	seen    map[string]bool
	names   int
	placed  bool           // the viewer's description is set: its sections are known
	waiting []Message      // that came before the description they belong to
	found   chan candidate // whose names were looked up
}

func newCandidates() candidates {
	return candidates{
		limit: rate.NewLimiter(candidateRate, sdp.MaxCandidates), seen: map[string]bool{}, found: make(chan candidate, 2*maxNames),
	}
}

// takeCandidate takes an ICE candidate that came in a message of its own.
func (v *Viewer) takeCandidate(m Message) {
	switch c := &v.candidates; {
	case m.Section < 0:
	case c.placed:
		v.placeCandidate(m)
	case len(c.waiting) < maxUnplaced:
		c.waiting = append(c.waiting, m)
	}
}

// placeCandidate takes an ICE candidate for a section of the viewer's description.
func (v *Viewer) placeCandidate(m Message) {
	parsed, ok := sdp.ParseCandidate(m.Candidate)
	section := v.neg.agreed.GStreamerSection(m.Section)
	if !ok || section < 0 {
		v.log.Debug("candidate ignored", "section", m.Section)
		return
	}
	v.candidates.add(v, candidate{section, parsed})
}

// release takes the ICE candidates in the viewer's description, and those that came before it in messages of their own.
func (c *candidates) release(v *Viewer) {
	c.placed = true
	for i, s := range v.neg.theirs.Sections {
		for _, one := range s.Candidates {
			if section := v.neg.agreed.GStreamerSection(i); section >= 0 {
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

// add takes an ICE candidate unless a bound forbids it. A name is looked up first.
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

// give hands an ICE candidate to webrtcbin, unless it was given before or enough were.
func (c *candidates) give(v *Viewer, one candidate) {
	key := one.Candidate
	key.Foundation, key.Priority = "", 0
	if text := key.String(); one.Usable() && !c.seen[text] && len(c.seen) < sdp.MaxCandidates {
		c.seen[text] = true
		v.peer.AddCandidate(one.section, one.String())
	}
}
