package pipeline

import "testing"

func TestLevel(t *testing.T) {
	cases := []struct {
		width, height, fps, bitrate int
		level, id                   string
	}{
		{320, 240, 15, 200_000, "3.1", "42c01f"}, // the floor
		{1280, 720, 30, 2_000_000, "3.1", "42c01f"},
		{1280, 720, 60, 4_000_000, "3.2", "42c020"},
		{1920, 1080, 30, 6_000_000, "4", "42c028"},
		{1920, 1080, 60, 6_000_000, "4.2", "42c02a"},
		{1280, 720, 30, 15_000_000, "3.2", "42c020"},
		{8192, 8192, 120, 6_000_000, "5.2", "42c034"}, // beyond every level
	}
	for _, c := range cases {
		f := VideoFormat{Width: c.width, Height: c.height, FPSNum: c.fps, FPSDen: 1, Bitrate: c.bitrate}
		if f.Level() != c.level || f.ProfileLevelID() != c.id {
			t.Errorf("%v: level %s, id %s; want %s, %s", f, f.Level(), f.ProfileLevelID(), c.level, c.id)
		}
		f.Measured = "42e00b"
		if f.ProfileLevelID() != "42e00b" {
			t.Errorf("%v: id %s, want what was measured", f, f.ProfileLevelID())
		}
	}
}
