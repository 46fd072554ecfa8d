package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// epoch is before any clock that is right: the program is younger.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock tells whether the time can be right. Certificates are judged by it, and TURN's passwords that end.
func clock(_ context.Context, x *exam) Result {
	const (
		hint = "sudo timedatectl set-ntp true; a board without a battery for its clock needs the network after each start"
		day  = 24 * time.Hour
		long = 20 * 365 * day
	)
	now, built := x.Now().UTC(), x.wish.Built.UTC()
	if built.Before(epoch) {
		built = epoch
	}
	text := now.Format(time.DateTime) + " UTC"
	switch {
	case now.Before(built.Add(-day)):
		return warn(text+" is before this program was made: certificates (wss, https, TURN over TLS) are refused", hint)
	case now.After(built.Add(long)):
		return warn(text+" is decades after this program was made: certificates (wss, https, TURN over TLS) are refused", hint)
	}
	return fine("%s", text)
}

// selfScaling are drivers under which "powersave" is the ordinary governor, which speeds up by itself.
var selfScaling = []string{"intel_pstate", "amd-pstate-epp", "amd_pstate_epp"}

// governor tells whether the CPU is held at its lowest speed.
func governor(_ context.Context, x *exam) Result {
	var names []string
	for _, file := range x.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_governor") {
		dir := strings.TrimSuffix(file, "scaling_governor")
		name := x.word(file)
		if name == "powersave" && !slices.Contains(selfScaling, x.word(dir+"scaling_driver")) {
			better := x.better(dir + "scaling_available_governors")
			return warn("powersave: the CPU stays at its lowest speed, and pictures are lost in software encoders",
				fmt.Sprintf("echo %[1]s | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; for good, "+
					"cpufreq.default_governor=%[1]s on the kernel's command line", better))
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return fine("the kernel does not change the CPU's speed")
	}
	slices.Sort(names)
	return fine("%s", strings.Join(slices.Compact(names), ", "))
}

// better is the first governor of our choice that the kernel has.
func (x *exam) better(file string) string {
	available := strings.Fields(x.text(file))
	for _, name := range []string{"schedutil", "ondemand", "performance"} {
		if slices.Contains(available, name) {
			return name
		}
	}
	return "performance"
}

// Bits of a Raspberry Pi's get_throttled: what is now, and 16 above it what was. The kernel's driver clears the latter each
// time it looks, so that they tell of seconds where it is loaded and else of the time since the start.
const (
	underVoltage = 1 << 0
	slowed       = 1<<1 | 1<<2 | 1<<3 // by voltage or heat
	earlier      = 16
)

// power tells whether a Raspberry Pi gets enough volts, from what its firmware told the kernel.
func power(_ context.Context, x *exam) Result {
	const hint = "use the power supply made for the board and a short, thick cable; give USB devices a hub with its own supply"
	known, low := false, false
	for _, file := range x.glob("sys/class/hwmon/hwmon*/name") {
		if x.word(file) == "rpi_volt" {
			alarm := x.word(strings.TrimSuffix(file, "name") + "in0_lcrit_alarm")
			known, low = alarm != "", alarm == "1"
		}
	}
	var bits uint64
	for _, file := range x.glob("sys/devices/platform/soc*/*firmware*/get_throttled", "sys/devices/platform/*firmware*/get_throttled") {
		if n, err := strconv.ParseUint(strings.TrimPrefix(x.word(file), "0x"), 16, 32); err == nil {
			known, bits = true, bits|n
		}
	}
	switch {
	case !known:
		return fine("no sensor for it here (a Raspberry Pi has one)")
	case low || bits&underVoltage != 0:
		return warn("the voltage is too low: the board slows down, and USB cameras drop out", hint)
	case bits&(underVoltage<<earlier) != 0:
		return warn("the voltage was too low for a while", hint)
	case bits&slowed != 0:
		return warn("the CPU is slowed down, for heat", "cool the board: a heat sink, a fan, a case with holes")
	}
	return fine("the voltage is right")
}
