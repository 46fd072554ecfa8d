package pipeline

import (
	"testing"

	"boardcast/device"
)

// rateCases are rates as drivers write them, and in lowest terms. The products of their parts with a picture's size have
// more than 32 bits, which an int has on some boards: the tests are run with such ints too.
var rateCases = []struct {
	rate     device.Rate
	num, den int
	bitrate  int // of 1920x1080, bit/s
}{
	{device.Rate{Num: 30, Den: 1}, 30, 1, 6_000_000},
	{device.Rate{Num: 30000, Den: 1001}, 30000, 1001, 6_000_000},
	{device.Rate{Num: 60000, Den: 2002}, 30000, 1001, 6_000_000},
	{device.Rate{Num: 2997, Den: 100}, 2997, 100, 6_000_000},
	{device.Rate{Num: 30_000_000, Den: 1_000_000}, 30, 1, 6_000_000},
	{device.Rate{Num: 10_000_000, Den: 333_333}, 10_000_000, 333_333, 6_000_000},
	{device.Rate{Num: 7500, Den: 1000}, 15, 2, 2_550_000},
	{device.Rate{}, 0, 1, 200_000},
}

func TestRates(t *testing.T) {
	for _, tt := range rateCases {
		t.Run(tt.rate.String(), func(t *testing.T) {
			num, den := rateOf(tt.rate)
			if num != tt.num || den != tt.den {
				t.Errorf("rate %d/%d, want %d/%d", num, den, tt.num, tt.den)
			}
			f := VideoFormat{Width: 1920, Height: 1080, FPSNum: int(tt.rate.Num), FPSDen: int(tt.rate.Den)}
			if got := f.DefaultBitrate(); got != tt.bitrate {
				t.Errorf("default bitrate of %v is %d, want %d", f, got, tt.bitrate)
			}
			if got, want := f.macroblocksPerSecond(), int(8160*max(f.fps(), 1)); got != want {
				t.Errorf("%d macroblocks/s, want %d", got, want)
			}
		})
	}
}

// A rate is compared by its value, however it is written.
func TestFaster(t *testing.T) {
	tests := []struct {
		num, den, otherNum, otherDen int
		want                         bool
	}{
		{30, 1, 15, 1, true},
		{15, 1, 30, 1, false},
		{60000, 2002, 30000, 1001, false},
		{30000, 1001, 60000, 2002, false},
		{30_000_000, 1_000_000, 30, 1, false},
		{30_000_000, 1_000_000, 2997, 100, true},
		{10_000_000, 333_333, 30, 1, true},
		{10_000_000, 333_333, 10_000_000, 333_334, true},
		{240_000_000, 1_000_000, 1_000_000, 33_333, true},
	}
	for _, tt := range tests {
		if got := faster(tt.num, tt.den, tt.otherNum, tt.otherDen); got != tt.want {
			t.Errorf("%d/%d faster than %d/%d: %v, want %v", tt.num, tt.den, tt.otherNum, tt.otherDen, got, tt.want)
		}
	}
}

// A camera's rate reaches the plan in lowest terms, and is not dropped to one that it is already.
func TestUnreducedRateInPlan(t *testing.T) {
	cam := device.Camera{Name: "Cam", Path: "/dev/video0", Formats: []device.Format{{FourCC: "YUYV", Sizes: []device.Size{
		{Width: 640, Height: 480, Rates: []device.Rate{{Num: 30_000_000, Den: 1_000_000}}},
	}}}}
	c := &chooser{request: Request{FPS: 30}, given: Given{Camera: &cam}}
	in, err := c.choose(feed{source: c.origin()}, bounds{})
	v := in.source
	if err != nil || v.FPSNum != 30 || v.FPSDen != 1 {
		t.Fatalf("rate %d/%d, %v, want 30/1", v.FPSNum, v.FPSDen, err)
	}
	v.FPSNum, v.FPSDen = 30_000_000, 1_000_000
	f := formatFor(Request{FPS: 30}, v, directEncoder.Limits)
	if f.FPSNum != v.FPSNum || f.FPSDen != v.FPSDen {
		t.Errorf("the encoder's rate is %s, want the camera's", f.rate())
	}
}
