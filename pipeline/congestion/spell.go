package congestion

import "time"

// spell is a condition, and the time since when it has held without a break. The zero value is that of a condition that does not hold.
type spell struct {
	holds bool
	since time.Duration // set while holds
}

// note takes whether the condition holds at the time now.
func (s *spell) note(now time.Duration, holds bool) {
	switch {
	case !holds:
		*s = spell{}
	case !s.holds:
		*s = spell{true, now}
	}
}

// lasted tells whether the condition has held for a time.
func (s spell) lasted(now, long time.Duration) bool { return s.holds && now-s.since >= long }
