package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

const (
	leastCMA     = 64 << 10 // kB: a 1080p encoder and its camera have some ten buffers each, of 3 MB
	leastFreeCMA = 16 << 10 // kB: five of these buffers
	leastGPUMem  = 64       // MB: three times what an encoder takes at 1080p
	cutDown      = 16       // MB: with so little the Pi's firmware leaves out its codecs (its documentation, boot.adoc)
)

// cma checks the contiguous memory (CMA), in which V4L2's and NXP's encoders have their buffers.
func cma(_ context.Context, x *exam) Result {
	if !x.expects("v4l2*", "vpuenc_*", "imxvpuenc_*") {
		return fine("not needed: no encoder of this board takes its buffers there")
	}
	total, free := x.meminfo("CmaTotal"), x.meminfo("CmaFree")
	const more = "give it more and reboot: cma=128M on the kernel's command line; on a Raspberry Pi " +
		"dtoverlay=vc4-kms-v3d,cma-128 in config.txt"
	switch {
	case total < leastCMA:
		return warn(fmt.Sprintf("%d MB of contiguous memory (CMA): an encoder may get no buffers", total>>10), more)
	case free < leastFreeCMA:
		return warn(fmt.Sprintf("%d of %d MB of contiguous memory (CMA) are free", free>>10, total>>10),
			"end what holds it (other programs with a camera, a codec or a screen), or "+more)
	}
	return fine("%d MB of contiguous memory (CMA), %d MB free", total>>10, free>>10)
}

// meminfo is a value of /proc/meminfo in kB, 0 when it is not there.
func (x *exam) meminfo(name string) int {
	for line := range strings.Lines(x.text("proc/meminfo")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			if err == nil {
				return n
			}
		}
	}
	return 0
}

// gpuMem checks the memory that a Raspberry Pi's firmware keeps for itself and its encoder.
func gpuMem(_ context.Context, x *exam) Result {
	if !strings.Contains(x.text("proc/device-tree/compatible"), "raspberrypi,") {
		return fine("not a Raspberry Pi")
	}
	if !x.expects("v4l2*") {
		return fine("not needed: this Raspberry Pi has no encoder")
	}
	file := "boot/firmware/config.txt"
	if !x.exists(file) {
		file = "boot/config.txt"
	}
	size, given := gpuMemory(x.text(file))
	hint := fmt.Sprintf("write gpu_mem=128 in /%s and reboot", file)
	switch {
	case !given:
		return fine("the firmware's default")
	case size <= cutDown:
		return warn(fmt.Sprintf("gpu_mem=%d: the firmware leaves out its encoder", size), hint)
	case size < leastGPUMem:
		return warn(fmt.Sprintf("gpu_mem=%d: little for an encoder at 1080p, which takes some 20 MB", size), hint)
	}
	return fine("gpu_mem=%d", size)
}

// gpuMemory is the last gpu_mem (or gpu_mem_256 and so on) in config.txt that is for every model. A line under a filter other than
// [all] may be for another board.
func gpuMemory(config string) (megabytes int, given bool) {
	all := true
	for line := range strings.Lines(config) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if strings.HasPrefix(line, "[") {
			all = strings.HasPrefix(line, "[all]")
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !all || !strings.HasPrefix(name, "gpu_mem") {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
			megabytes, given = n, true
		}
	}
	return megabytes, given
}
