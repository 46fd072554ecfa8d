package doctor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// epoch is earlier than any right time: the program was written later.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock checks whether the time can be right. It decides whether certificates and TURN's temporary passwords are valid.
func clock(_ context.Context, x *exam) Result {
	const (
		hint = "sudo timedatectl set-ntp true; a board without a battery for its clock needs the network after each start"
		day  = 24 * time.Hour // how far this clock may be behind the clock of the machine that built the program
		long = 20 * 365 * day // how old the program may be
	)
	now, built := x.Now().UTC(), x.request.Built.UTC()
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

// selfScaling are drivers whose governor "powersave" raises the speed under load. It is their default.
var selfScaling = []string{"intel_pstate", "amd-pstate-epp", "amd_pstate_epp"}

// governor checks whether the CPU is kept at its lowest speed.
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

// better is the first governor that the kernel has, of those that raise the speed under load, or keep it high.
func (x *exam) better(file string) string {
	available := strings.Fields(x.text(file))
	for _, name := range []string{"schedutil", "ondemand", "performance"} {
		if slices.Contains(available, name) {
			return name
		}
	}
	return "performance"
}

// Bits of a Raspberry Pi's get_throttled. The lower 16 say what is now, the same bits 16 higher what was earlier. The kernel's driver
// clears the higher ones each time it reads them. So they cover some seconds where the driver is loaded, else the time since the
// board was started.
const (
	underVoltage = 1 << 0
	slowed       = 1<<1 | 1<<2 | 1<<3 // the CPU is slowed down, for voltage or heat
	earlier      = 16                 // shift of the bits about earlier
)

// power checks whether a Raspberry Pi's voltage is high enough. The kernel knows that from the firmware.
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
