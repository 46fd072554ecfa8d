package device

import (
	"cmp"
	"slices"
)

// commonSizes stand for a driver that takes any size in a range: what cameras, encoders and people commonly use.
var commonSizes = [][2]uint32{
	{160, 120},
	{176, 144},
	{320, 180},
	{320, 240},
	{352, 288},
	{640, 360},
	{640, 480},
	{800, 600},
	{960, 540},
	{1024, 768},
	{1280, 720},
	{1280, 960},
	{1600, 1200},
	{1920, 1080},
	{2560, 1440},
	{3840, 2160},
}

// commonRates stand for a driver that takes any rate in a range.
var commonRates = []Rate{
	{120, 1},
	{90, 1},
	{60, 1},
	{50, 1},
	{30, 1},
	{25, 1},
	{24, 1},
	{20, 1},
	{15, 1},
	{10, 1},
	{5, 1},
}

// maxSide and maxRate are beyond any camera: what a driver says above them means "no limit".
const (
	maxSide = 8192
	maxRate = 240
)

// mostSide is the largest side, in pixels, that a driver is believed: GStreamer's own limit.
const mostSide = 32767

// sizes turns a size or a range into the sizes to offer. Of a range these are the common sizes that fit its limits and
// steps, and its largest size, which is the sensor's own. A largest size beyond any camera's (maxSide) is offered only
// where no common size fits.
func (r SizeRange) sizes() [][2]uint32 {
	if r.Discrete {
		if r.MinWidth == 0 || r.MinHeight == 0 || r.MinWidth > mostSide || r.MinHeight > mostSide {
			return nil
		}
		return [][2]uint32{{r.MinWidth, r.MinHeight}}
	}
	var list [][2]uint32
	for _, s := range commonSizes {
		if fits(s[0], r.MinWidth, r.MaxWidth, r.StepWidth) && fits(s[1], r.MinHeight, r.MaxHeight, r.StepHeight) {
			list = append(list, s)
		}
	}
	largest := [2]uint32{r.MaxWidth, r.MaxHeight}
	valid := r.MaxWidth >= max(r.MinWidth, 1) && r.MaxHeight >= max(r.MinHeight, 1)
	sane := r.MaxWidth <= maxSide && r.MaxHeight <= maxSide
	valid = valid && r.MaxWidth <= mostSide && r.MaxHeight <= mostSide
	if valid && (sane || len(list) == 0) && !slices.Contains(list, largest) {
		list = append(list, largest)
	}
	return list
}

func fits(v, low, high, step uint32) bool {
	if v < low || v > high {
		return false
	}
	return step <= 1 || (v-low)%step == 0
}

// rates turns an interval or a range into the rates to offer. The step of a range is left aside: a driver rounds an
// interval to what it can do.
func (r IntervalRange) rates() []Rate {
	fastest := reduced(r.Min.Den, r.Min.Num)
	if r.Discrete {
		return highestFirst([]Rate{fastest})
	}
	slowest := reduced(r.Max.Den, r.Max.Num)
	if fastest.Den == 0 {
		fastest = Rate{Num: maxRate, Den: 1} // an interval of zero: as fast as you like
	}
	var list []Rate
	for _, c := range commonRates {
		if c.Float() <= fastest.Float() && c.Float() >= slowest.Float() {
			list = append(list, c)
		}
	}
	if fastest.Float() < maxRate {
		list = append(list, fastest)
	}
	return highestFirst(list)
}

// pixels is how many a picture has, in 64 bits, for an int has 32 on some boards.
func (s Size) pixels() int64 { return int64(s.Width) * int64(s.Height) }

// bySize sorts sizes largest first and drops doubles.
func bySize(sizes []Size) []Size {
	slices.SortStableFunc(sizes, func(a, b Size) int {
		return cmp.Or(cmp.Compare(b.pixels(), a.pixels()), cmp.Compare(b.Width, a.Width))
	})
	return slices.CompactFunc(sizes, func(a, b Size) bool { return a.Width == b.Width && a.Height == b.Height })
}
