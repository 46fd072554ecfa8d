package congestion

import (
	"cmp"
	"math"
	"slices"
)

// The utility of a rate to the viewers.
const (
	// A share of the packets. Where more are lost, a part of the estimate is left free for retransmissions.
	retransmissionLoss = 0.05
	// That part, a share of the estimate.
	retransmissionShare = 0.1
	// A factor. The policy leaves its set of viewers only for a set with so many times the utility. Two sets of about the same utility
	// would otherwise take turns.
	loyalty = 1.1
	// A factor. The lower rendition has so much of the utility that the first rendition has at the same rate, since its frames are
	// smaller.
	lowerUtility = 0.7
)

// goal is the rate that the viewers' links allow, in bit/s, and the number of viewers whose estimates may still rise. All views are
// measured, and there is one at least. It notes of each viewer whether its link carries the chosen rate.
func (p *Policy) goal(views []View) (rate float64, rising int) {
	chosen := p.choose(views)
	settled := math.Inf(1) // the lowest bound of the served viewers
	fresh := math.Inf(1)   // their lowest usable estimate, also of viewers within graceTime
	for _, v := range views {
		w := p.viewers[v.Key]
		w.carries = p.potential(v) >= chosen
		suited := w.carries && p.potential(v) < float64(p.set)
		switch st := w.state.(type) {
		case *slow:
			st.suited, st.gainsBySharing = suited, p.gainsBySharing(v, views, chosen)
		case *served:
			if !w.carries {
				continue
			}
			usable := p.usable(v, v.Estimate)
			if usable < float64(p.bounds.Ceiling) {
				rising++
			}
			settled = min(settled, st.bound(p.now, usable, chosen, suited))
			fresh = min(fresh, usable)
		}
	}
	switch {
	case !math.IsInf(settled, 1):
		rate = settled
	case !math.IsInf(fresh, 1):
		rate = fresh
	default: // no served viewer's link carries the chosen rate
		rate = chosen
	}
	return min(max(rate, float64(p.bounds.Floor)), float64(p.bounds.Ceiling)), rising
}

// choose finds the rate with the most utility to all viewers in sum. The rates to choose from are those that the single links carry. A
// viewer whose link carries the rate counts with the utility of that rate, another one with that of the lower rendition.
func (p *Policy) choose(views []View) float64 {
	if p.bounds.LowerRendition {
		return p.chooseForAll(views)
	}
	best, most := float64(p.bounds.Floor), 0.0
	sorted := slices.SortedFunc(slices.Values(views), func(a, b View) int { return cmp.Compare(p.potential(b), p.potential(a)) })
	for i, v := range sorted {
		rate := p.potential(v)
		if rate < float64(p.bounds.Floor) {
			break
		}
		if i+1 < len(sorted) && p.potential(sorted[i+1]) == rate {
			continue
		}
		utility := float64(i+1)*p.utility(rate) + p.utilityOfLower(sorted[i+1:])
		if p.carriedBefore(sorted, i) {
			utility *= loyalty
		}
		if utility > most {
			best, most = rate, utility
		}
	}
	return best
}

// chooseForAll finds the highest rate that the links of all served viewers carry, the floor at least.
func (p *Policy) chooseForAll(views []View) float64 {
	least := math.Inf(1)
	for _, v := range views {
		if _, is := p.viewers[v.Key].slow(); !is {
			least = min(least, p.potential(v))
		}
	}
	if math.IsInf(least, 1) {
		least = 0 // no viewer is served
	}
	return max(float64(p.bounds.Floor), least)
}

// gainsBySharing tells whether the utility in sum grows if a slow viewer is served and the others go down to its estimate.
func (p *Policy) gainsBySharing(v View, views []View, chosen float64) bool {
	usable := p.usable(v, v.Estimate)
	gain := p.utility(usable) - max(0, lowerUtility*p.utility(min(usable, float64(p.bounds.LowerCeiling))))
	for _, o := range views {
		if _, is := p.viewers[o.Key].slow(); !is {
			gain -= max(0, p.utility(min(chosen, p.potential(o)))-p.utility(usable))
		}
	}
	return p.bounds.LowerCeiling > 0 && gain > 0
}

// utility is that of a rate to one viewer. Twice the rate is one step better, whatever the rate is. The floor counts ln 2.
func (p *Policy) utility(rate float64) float64 { return math.Log(2 * rate / float64(p.bounds.Floor)) }

// utilityOfLower is the utility of the lower rendition to some viewers in sum.
func (p *Policy) utilityOfLower(views []View) float64 {
	sum := 0.0
	for _, v := range views {
		sum += max(0, lowerUtility*p.utility(min(p.potential(v), float64(p.bounds.LowerCeiling))))
	}
	return sum
}

// carriedBefore tells whether the sorted views up to an index are just those viewers whose links carried the rate that was chosen last.
func (p *Policy) carriedBefore(sorted []View, last int) bool {
	for i, v := range sorted {
		if p.viewers[v.Key].carries != (i <= last) {
			return false
		}
	}
	return true
}

// usable is the part of a viewer's estimate or potential that the encoder may use, in bit/s.
func (p *Policy) usable(v View, rate int) float64 {
	share := p.bounds.Margin
	if v.Loss > retransmissionLoss {
		share -= retransmissionShare
	}
	return share * float64(rate)
}

// potential is the highest rate that a viewer's link may carry, in bit/s, the ceiling at most.
func (p *Policy) potential(v View) float64 {
	return min(p.usable(v, max(v.Potential, v.Estimate)), float64(p.bounds.Ceiling))
}
