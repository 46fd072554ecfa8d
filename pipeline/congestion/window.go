package congestion

import "time"

const (
	// A window keeps the samples of this time: longer than any span that a rate is measured over.
	windowSpan = time.Second
	// Samples that are too old are dropped once the oldest is too old by this time. To look with each packet would cost too much.
	windowSlack = windowSpan / 4
	// A window has so many samples at most, which bounds the memory in a flood.
	windowItems = 1 << 13
	// A rate is measured over this time at least. In a shorter time the size of one frame would decide.
	shortest = 100 * time.Millisecond
)

// sample is the packets of one time: those of a frame are sent at once.
type sample struct {
	at   time.Duration
	bits float64
}

// window measures the rate of what passed lately. Its time is that of the newest sample.
type window struct {
	items  []sample
	first  time.Duration // the time of the first sample since the window was empty
	newest time.Duration
}

// reset forgets all samples, and keeps the memory for new ones.
func (w *window) reset() { *w = window{items: w.items[:0]} }

// add takes a packet. Packets may come out of order.
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

// prune drops the samples that are too old. A full window loses its oldest eighth in any case.
func (w *window) prune() {
	keep, old := w.items[:0], 0
	if len(w.items) >= windowItems {
		old = len(w.items) / 8
	}
	for _, s := range w.items[old:] {
		if s.at >= w.newest-windowSpan {
			keep = append(keep, s)
		}
	}
	w.items = keep
}

// rate is the rate over the last span, in bit/s; false while the window has samples of less than shortest.
func (w *window) rate(span time.Duration) (float64, bool) {
	from := w.newest - span
	if w.first > from { // the first sample begins the span, and its own bits do not count
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
