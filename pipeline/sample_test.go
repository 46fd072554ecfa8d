package pipeline

import (
	"strings"
	"testing"
)

// What an encoder is tried with has the form of what the capture will hand on.
func TestSample(t *testing.T) {
	sources := []struct {
		raw  Raw
		want string
	}{
		{vgaRaw, "format=YUY2,width=640,height=480,framerate=30/1,colorimetry=2:4:7:1"},
		{Raw{Width: 640, Height: 480}, "format=Y42B,width=640,height=480,framerate=1/1 !"},
		{Raw{Memory: memoryNVMM, Width: 640, Height: 480}, "! nvvidconv ! video/x-raw(memory:NVMM),format=NV12 !"},
	}
	for _, c := range sources {
		if got := Sample(c.raw).String(); !strings.Contains(got, c.want) {
			t.Errorf("pictures %s, want %s", got, c.want)
		}
	}
}
