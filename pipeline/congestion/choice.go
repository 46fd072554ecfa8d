package congestion

import (
	"cmp"
	"math"
	"slices"
)

// goal is the rate that the viewers' links allow, negative when nothing is known, and how many viewers may bound it. It marks
// whose links carry what was chosen.
func (p *Policy) goal(views []View) (rate float64, rising int) {
	if len(views) == 0 {
		return -1, 0
	}
	level := p.choose(views)
	settled, fresh := math.Inf(1), math.Inf(1)
	for _, v := range views {
		w := p.watchers[v.Key]
		w.carried = p.potential(v) >= level
		w.fits = w.carried && p.potential(v) < float64(p.set)
		w.modest = w.slow && p.modest(v, views, level)
		if !w.carried || w.slow {
			continue
		}
		target := p.usable(v, v.Target)
		if target < float64(p.bounds.Ceiling) {
			rising++
		}
		switch {
		case !w.bounds || p.now-w.since >= graceTime:
		case w.fits:
			settled = min(settled, level)
		default:
			settled = min(settled, target)
		}
		fresh = min(fresh, target)
		if p.now-w.since >= graceTime {
			settled = min(settled, target)
		}
	}
	switch {
	case !math.IsInf(settled, 1):
		rate = settled
	case !math.IsInf(fresh, 1):
		rate = fresh
	default:
		rate = level // nobody gets everything: what the best is thought to carry
	}
	return min(max(rate, float64(p.bounds.Floor)), float64(p.bounds.Ceiling)), rising
}

// choose finds the rate that gives the most picture in sum; of the lower rendition, the one that all carry.
func (p *Policy) choose(views []View) float64 {
	best, most := float64(p.bounds.Floor), 0.0
	if p.bounds.Last {
		least := math.Inf(1)
		for _, v := range views {
			if !p.watchers[v.Key].slow {
				least = min(least, p.potential(v))
			}
		}
		if math.IsInf(least, 1) {
			return best
		}
		return max(best, least)
	}
	sorted := slices.SortedFunc(slices.Values(views), func(a, b View) int { return cmp.Compare(p.potential(b), p.potential(a)) })
	for i, v := range sorted {
		level := p.potential(v)
		if level < float64(p.bounds.Floor) {
			break
		}
		if i+1 < len(sorted) && p.potential(sorted[i+1]) == level {
			continue
		}
		worth := float64(i+1)*p.worth(level) + p.rest(sorted[i+1:])
		if p.same(sorted, i) {
			worth *= loyalty
		}
		if worth > most {
			best, most = level, worth
		}
	}
	return best
}

// modest tells whether it is worth the others' while to begin a slow viewer's trial at the rate that it has by now.
func (p *Policy) modest(v View, views []View, level float64) bool {
	target := p.usable(v, v.Target)
	gain := p.worth(target) - max(0, lowerWorth*p.worth(min(target, float64(p.bounds.Lower))))
	for _, o := range views {
		if !p.watchers[o.Key].slow {
			gain -= max(0, p.worth(min(level, p.potential(o)))-p.worth(target))
		}
	}
	return p.bounds.Lower > 0 && gain > 0
}

func (p *Policy) worth(rate float64) float64 { return math.Log(2 * rate / float64(p.bounds.Floor)) }

// rest is the worth of the lower rendition to those who are left out.
func (p *Policy) rest(views []View) float64 {
	sum := 0.0
	for _, v := range views {
		sum += max(0, lowerWorth*p.worth(min(p.potential(v), float64(p.bounds.Lower))))
	}
	return sum
}

// same tells whether the first of the sorted, up to the index, are those that were carried before.
func (p *Policy) same(sorted []View, last int) bool {
	for i, v := range sorted {
		if p.watchers[v.Key].carried != (i <= last) {
			return false
		}
	}
	return true
}

// usable is what an encoder may make of a viewer's rate. Where many packets are lost, some of it is for those that are sent again.
func (p *Policy) usable(v View, rate int) float64 {
	share := p.bounds.Margin
	if v.Loss > lossy {
		share -= lossyShare
	}
	return share * float64(rate)
}

// potential is what a viewer's link may carry, as far as it matters.
func (p *Policy) potential(v View) float64 {
	return min(p.usable(v, max(v.Potential, v.Target)), float64(p.bounds.Ceiling))
}
