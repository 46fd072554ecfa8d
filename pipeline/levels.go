package pipeline

import (
	"fmt"
	"time"
)

// VideoFormat is what an encoder is asked for.
type VideoFormat struct {
	Width, Height  int
	FPSNum, FPSDen int // frames per second
	Bitrate        int // bit/s
	// Measured is the profile-level-id of the encoder's own SPS, as a trial has read it; empty without a trial.
	Measured string
}

// levels is table A-1 of H.264: macroblocks per second, macroblocks per frame, and bit/s for baseline.
var levels = []struct {
	name                string
	idc                 int
	perSecond, perFrame int
	bitsPerSecond       int
}{
	{"1", 10, 1485, 99, 64e3},
	{"1.1", 11, 3000, 396, 192e3},
	{"1.2", 12, 6000, 396, 384e3},
	{"1.3", 13, 11880, 396, 768e3},
	{"2", 20, 11880, 396, 2e6},
	{"2.1", 21, 19800, 792, 4e6},
	{"2.2", 22, 20250, 1620, 4e6},
	{"3", 30, 40500, 1620, 10e6},
	{"3.1", 31, 108000, 3600, 14e6},
	{"3.2", 32, 216000, 5120, 20e6},
	{"4", 40, 245760, 8192, 20e6},
	{"4.1", 41, 245760, 8192, 50e6},
	{"4.2", 42, 522240, 8704, 50e6},
	{"5", 50, 589824, 22080, 135e6},
	{"5.1", 51, 983040, 36864, 240e6},
	{"5.2", 52, 2073600, 36864, 240e6},
}

// levelFloor is the lowest level that is announced, as level_idc: 3.1, which every browser has to decode (RFC 7742). A lower one in the SDP would
// gain nothing, and a larger size could not be sent later.
const levelFloor = 31

// macroblock is the side of a macroblock, in pixels.
const macroblock = 16

// macroblocks is how many macroblocks a frame has.
func (v VideoFormat) macroblocks() int {
	return ((v.Width + macroblock - 1) / macroblock) * ((v.Height + macroblock - 1) / macroblock)
}

func (v VideoFormat) macroblocksPerSecond() int {
	// 64 bits: a camera's rate may be 10000000/333333, and an int has 32 on some boards.
	return int(int64(v.macroblocks()) * int64(max(1, v.FPSNum)) / int64(max(1, v.FPSDen)))
}

// levelRow is the index of the lowest level that holds the format, the last one if none does.
func (v VideoFormat) levelRow() int {
	for i, l := range levels {
		if l.idc >= levelFloor && l.perSecond >= v.macroblocksPerSecond() && l.perFrame >= v.macroblocks() && l.bitsPerSecond >= v.Bitrate {
			return i
		}
	}
	return len(levels) - 1
}

// Level is the lowest H.264 level, as GStreamer spells it, that holds the size, the rate and the bitrate.
func (v VideoFormat) Level() string { return levels[v.levelRow()].name }

// ProfileLevelID is that of the SDP (RFC 6184, 8.1): what was measured, else constrained baseline at the format's level.
func (v VideoFormat) ProfileLevelID() string {
	if v.Measured != "" {
		return v.Measured
	}
	return fmt.Sprintf("42c0%02x", levels[v.levelRow()].idc)
}

// rate is the frames per second as a fraction.
func (v VideoFormat) rate() string { return fmt.Sprintf("%d/%d", v.FPSNum, max(1, v.FPSDen)) }

// Period is the time from one frame to the next, zero where it is not known.
func (v VideoFormat) Period() time.Duration {
	if v.FPSNum <= 0 {
		return 0
	}
	return time.Second * time.Duration(max(1, v.FPSDen)) / time.Duration(v.FPSNum)
}

// fps is the frames per second.
func (v VideoFormat) fps() float64 { return float64(v.FPSNum) / float64(max(1, v.FPSDen)) }

// String prints size and rate.
func (v VideoFormat) String() string {
	rate := fmt.Sprint(v.FPSNum)
	switch {
	case v.FPSNum == 0:
		rate = "?"
	case v.FPSDen > 1:
		rate = fmt.Sprintf("%.2f", v.fps())
	}
	return fmt.Sprintf("%dx%d at %s frames/s", v.Width, v.Height, rate)
}
