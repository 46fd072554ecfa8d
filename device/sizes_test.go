package device

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSizeRange(t *testing.T) {
	tests := []struct {
		name string
		r    SizeRange
		want [][2]uint32
	}{
		{"discrete", discrete(640, 480), [][2]uint32{{640, 480}}},
		{"discrete nothing", discrete(0, 480), nil},
		{
			"continuous",
			SizeRange{MinWidth: 600, MaxWidth: 1280, StepWidth: 1, MinHeight: 400, MaxHeight: 720, StepHeight: 1},
			[][2]uint32{{640, 480}, {800, 600}, {960, 540}, {1280, 720}},
		},
		{
			"steps of 16",
			SizeRange{MinWidth: 32, MaxWidth: 1936, StepWidth: 16, MinHeight: 32, MaxHeight: 1100, StepHeight: 16},
			[][2]uint32{{176, 144}, {320, 240}, {352, 288}, {640, 480}, {1024, 768}, {1280, 720}, {1280, 960}, {1936, 1100}},
		},
		{
			"sensor's own size",
			SizeRange{MinWidth: 1900, MaxWidth: 3280, StepWidth: 2, MinHeight: 1000, MaxHeight: 2464, StepHeight: 2},
			[][2]uint32{{1920, 1080}, {2560, 1440}, {3280, 2464}},
		},
		{
			"no real limit",
			SizeRange{MinWidth: 3000, MaxWidth: 16384, StepWidth: 2, MinHeight: 16, MaxHeight: 8640, StepHeight: 2},
			[][2]uint32{{3840, 2160}},
		},
		{"nothing common", SizeRange{MinWidth: 200, MaxWidth: 210, MinHeight: 100, MaxHeight: 110}, [][2]uint32{{210, 110}}},
		{"nothing else, however absurd", SizeRange{MinWidth: 9000, MaxWidth: 9600, MinHeight: 100, MaxHeight: 110}, [][2]uint32{{9600, 110}}},
		{"upside down", SizeRange{MinWidth: 200, MaxWidth: 100, MinHeight: 100, MaxHeight: 110}, nil},
		{"all zero", SizeRange{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.r.sizes()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntervalRange(t *testing.T) {
	tests := []struct {
		name string
		r    IntervalRange
		want []Rate
	}{
		{"discrete", every(30), []Rate{{30, 1}}},
		{"uvcvideo's 100 ns", IntervalRange{Discrete: true, Min: Interval{333333, 10000000}}, []Rate{{10000000, 333333}}},
		{"NTSC", IntervalRange{Discrete: true, Min: Interval{1001, 30000}}, []Rate{{30000, 1001}}},
		{"reducible", IntervalRange{Discrete: true, Min: Interval{2, 25}}, []Rate{{25, 2}}},
		{"discrete zero", IntervalRange{Discrete: true}, []Rate{}},
		{"range", IntervalRange{Min: Interval{1, 30}, Max: Interval{1, 10}}, []Rate{{30, 1}, {25, 1}, {24, 1}, {20, 1}, {15, 1}, {10, 1}}},
		{"range with an odd end", IntervalRange{Min: Interval{1, 22}, Max: Interval{1, 15}}, []Rate{{22, 1}, {20, 1}, {15, 1}}},
		{
			"as fast as you like",
			IntervalRange{Min: Interval{0, 1}, Max: Interval{1, 50}},
			[]Rate{{120, 1}, {90, 1}, {60, 1}, {50, 1}},
		},
		{"vivid's nanosecond", IntervalRange{Min: Interval{1, 1000000000}, Max: Interval{1, 90}}, []Rate{{120, 1}, {90, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.r.rates()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadSizesSortsAndDropsDoubles(t *testing.T) {
	n := fakeNode{formats: []fakeFormat{{
		FormatDesc: FormatDesc{Code: code("YUYV")},
		sizes:      []SizeRange{discrete(640, 480), discrete(1280, 720), discrete(640, 480), discrete(480, 640)},
		intervals:  []IntervalRange{every(15), every(30), every(15)},
	}}}
	rates := []Rate{{30, 1}, {15, 1}}
	want := []Size{{1280, 720, rates}, {640, 480, rates}, {480, 640, rates}}
	if diff := cmp.Diff(want, readSizes(n, code("YUYV"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRateString(t *testing.T) {
	tests := []struct {
		rate Rate
		want string
	}{
		{Rate{30, 1}, "30"},
		{Rate{25, 2}, "12.5"},
		{Rate{30000, 1001}, "29.97"},
		{Rate{120, 1}, "120"},
		{Rate{1, 3}, "0.33"},
		{Rate{}, "?"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if got := tt.rate.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFourCC(t *testing.T) {
	tests := []struct {
		code uint32
		want string
	}{
		{code("YUYV"), "YUYV"},
		{code("Y16 "), "Y16 "},
		{code("Y16 ") | 1<<31, "Y16 -BE"},
		{0x00000001, "????"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if got := fourCC(tt.code); got != tt.want {
				t.Errorf("fourCC(%#x) = %q, want %q", tt.code, got, tt.want)
			}
		})
	}
}

// Sizes and rates that no camera has must not come out as others where an int has 32 bits.
func TestAbsurdNumbers(t *testing.T) {
	if got := discrete(1<<31, 480).sizes(); got != nil {
		t.Errorf("sizes %v, want none", got)
	}
	wide := SizeRange{MinWidth: 9000, MaxWidth: 1<<32 - 1, MinHeight: 9000, MaxHeight: 1<<32 - 1}
	if got := wide.sizes(); got != nil {
		t.Errorf("sizes of a range %v, want none", got)
	}
	for _, tt := range []struct{ num, den uint32 }{{1<<32 - 1, 1}, {4_000_000_001, 133_333_333}, {1, 1<<32 - 1}} {
		r := reduced(tt.num, tt.den)
		whole := float64(tt.num) / float64(tt.den)
		if int32(r.Num) < 1 || int32(r.Den) < 1 {
			t.Errorf("%d/%d became %d/%d, which has more than 31 bits", tt.num, tt.den, r.Num, r.Den)
		}
		if off := r.Float() / whole; tt.den > 1 && tt.num > 1 && (off < 0.999 || off > 1.001) {
			t.Errorf("%d/%d became %v", tt.num, tt.den, r.Float())
		}
	}
	list := bySize([]Size{{Width: 30000, Height: 100}, {Width: 65535, Height: 65535}, {Width: 640, Height: 480}})
	if list[0].Width != 65535 || list[2].Width != 640 {
		t.Errorf("order %v, want the largest first", list)
	}
}
