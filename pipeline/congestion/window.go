package congestion

import "time"

const (
	windowSpan  = time.Second // how far back a window knows
	windowSlack = windowSpan / 4
	windowItems = 1 << 13
	shortest    = 100 * time.Millisecond // no rate is told of less time
)

type sample struct {
	at   time.Duration
	bits float64
}

// window tells the rate of what passed lately, in a second at most. Its time is that of the newest sample. Each viewer has two:
// packets of the same time, as those of a frame are when they are sent, are one sample.
type window struct {
	items  []sample
	first  time.Duration
	newest time.Duration
}

func (w *window) reset() { *w = window{items: w.items[:0]} }

func (w *window) add(at time.Duration, bytes int) {
	switch {
	case len(w.items) == 0:
		w.first, w.newest = at, at
	case at < w.newest-windowSpan:
		return
	}
	w.newest = max(w.newest, at)
	bits := float64(bytes) * 8
	if n := len(w.items); n > 0 && w.items[n-1].at == at {
		w.items[n-1].bits += bits
		return
	}
	if len(w.items) >= windowItems || len(w.items) > 0 && w.items[0].at < w.newest-windowSpan-windowSlack {
		w.prune()
	}
	w.items = append(w.items, sample{at, bits})
}

func (w *window) prune() {
	keep, old := w.items[:0], 0
	if len(w.items) >= windowItems {
		old = len(w.items) / 8 // goes in any case: the bound holds in a flood too
	}
	for _, s := range w.items[old:] {
		if s.at >= w.newest-windowSpan {
			keep = append(keep, s)
		}
	}
	w.items = keep
}

// rate is the bit/s of the last span; false when there is too little to tell.
func (w *window) rate(span time.Duration) (float64, bool) {
	from := w.newest - span
	if w.first > from { // the first sample only opens the interval
		from = w.first
		span = w.newest - w.first
	}
	if len(w.items) == 0 || span < shortest {
		return 0, false
	}
	bits := 0.0
	for _, s := range w.items {
		if s.at > from {
			bits += s.bits
		}
	}
	return bits / span.Seconds(), true
}
