package doctor

import (
	"testing"
	"testing/fstest"
	"time"
)

func TestGroups(t *testing.T) {
	nodes := func() fstest.MapFS {
		return fstest.MapFS{
			"dev/video0":         charNode(videoGID, 0o660),
			"dev/video11":        charNode(videoGID, 0o660),
			"dev/dri/renderD128": charNode(renderGID, 0o660),
			"dev/dri/card0":      charNode(videoGID, 0o660),
			"dev/snd/controlC0":  charNode(audioGID, 0o660),
		}
	}
	contained := nodes()
	contained[".dockerenv"] = text("")
	odd := fstest.MapFS{"dev/video0": charNode(0, 0o600)}
	many := fstest.MapFS{}
	for _, n := range []string{"10", "11", "12", "18", "31"} {
		many["dev/video"+n] = charNode(videoGID, 0o660)
	}
	refused := machine{files: fstest.MapFS{"dev/video0": charNode(videoGID, 0o660)}, groups: []int{videoGID}, refuses: "/dev/video0"}
	table(t, "groups", both, []row{
		{"no nodes", machine{}, ok("no device nodes of cameras, sound or encoders here")},
		{
			"a member of all",
			machine{files: nodes(), groups: []int{audioGID, videoGID, renderGID}},
			ok("4 device nodes of cameras, sound and encoders, all permitted"),
		},
		{
			"of none",
			machine{files: nodes()},
			warn("no permission for /dev/video0, /dev/video11 (group video); /dev/dri/renderD128 (group render); /dev/snd/controlC0 (group audio)",
				"sudo usermod -aG audio,render,video $USER, then log out and in again"),
		},
		{
			"of some",
			machine{files: nodes(), groups: []int{videoGID, audioGID}},
			warn("no permission for /dev/dri/renderD128 (group render)", "sudo usermod -aG render $USER, then log out and in again"),
		},
		{
			"added, not logged in again",
			machine{files: nodes(), groups: []int{renderGID, audioGID}, user: "ann"},
			warn("no permission for /dev/video0, /dev/video11 (group video)",
				"you are in the group video, but not since this login: log out and in again"),
		},
		{
			"in a container",
			machine{files: contained, groups: []int{audioGID}},
			warn("no permission for /dev/video0, /dev/video11 (group video); /dev/dri/renderD128 (group render)",
				"start the container with --group-add render --group-add video"),
		},
		{
			"root's alone",
			machine{files: odd},
			warn("no permission for /dev/video0 (of no group)",
				`let udev give it to a group: echo 'KERNEL=="video0", GROUP="video", MODE="0660"' | sudo tee /etc/udev/rules.d/99-boardcast.rules, then reboot`),
		},
		{
			"many nodes",
			machine{files: many},
			warn("no permission for /dev/video10, /dev/video11, /dev/video12 and 2 more (group video)",
				"sudo usermod -aG video $USER, then log out and in again"),
		},
		{
			"a group without a name",
			machine{files: fstest.MapFS{"dev/video0": charNode(77, 0o660)}},
			warn("no permission for /dev/video0 (group 77)", "sudo usermod -aG 77 $USER, then log out and in again"),
		},
		{
			"refused by something else", refused,
			warn("no permission for /dev/video0 (group video)",
				"the groups are right, something else refuses: a container needs --device for each node, a service DeviceAllow="),
		},
	})
}

func TestMPP(t *testing.T) {
	table(t, "mpp", both, []row{
		{"another board", machine{}, ok("no /dev/mpp_service here, which is Rockchip's")},
		{
			"permitted",
			machine{groups: []int{videoGID}, files: fstest.MapFS{
				"dev/mpp_service": charNode(videoGID, 0o660), "dev/rga": charNode(0, 0o666),
			}},
			ok("/dev/mpp_service, /dev/rga permitted"),
		},
		{
			"root's alone",
			machine{files: fstest.MapFS{"dev/mpp_service": charNode(0, 0o600)}},
			warn("no permission for /dev/mpp_service (of no group): the encoder can't be used",
				`let udev give it to a group: echo 'KERNEL=="mpp_service", GROUP="video", MODE="0660"' | sudo tee /etc/udev/rules.d/99-boardcast.rules, then reboot`),
		},
	})
}

func TestDMAHeap(t *testing.T) {
	with := func(heap string, gid uint32) fstest.MapFS {
		files := fstest.MapFS{"dev/mpp_service": charNode(0, 0o666)}
		if heap != "" {
			files["dev/dma_heap/"+heap] = charNode(gid, 0o660)
		}
		return files
	}
	table(t, "dma-heap", both, []row{
		{"no MPP", machine{files: fstest.MapFS{"dev/dma_heap/system": charNode(0, 0o600)}}, ok("not needed on this board")},
		{"permitted", machine{files: with("system", videoGID), groups: []int{videoGID}}, ok("/dev/dma_heap/system")},
		{
			"the group is not joined",
			machine{files: with("cma", videoGID)},
			warn("no permission for /dev/dma_heap/cma (group video): the encoder gets no buffers",
				"sudo usermod -aG video $USER, then log out and in again"),
		},
		{
			"root's alone",
			machine{files: with("system", 0)},
			warn("no permission for /dev/dma_heap/system (of no group): the encoder gets no buffers",
				`let udev give them to a group: echo 'SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"' | sudo tee /etc/udev/rules.d/99-boardcast-heaps.rules, then reboot`),
		},
		{
			"not in the kernel",
			machine{files: with("", 0)},
			warn("the kernel has no /dev/dma_heap, from which the encoder takes its buffers",
				"run the kernel of the board's maker, or one built with CONFIG_DMABUF_HEAPS"),
		},
	})
}

func TestCMA(t *testing.T) {
	pi := Request{Encoders: []Encoder{v4l2, x264, vp8}}
	meminfo := func(lines string) fstest.MapFS { return fstest.MapFS{"proc/meminfo": text(lines)} }
	const more = "give it more and reboot: cma=128M on the kernel's command line; on a Raspberry Pi dtoverlay=vc4-kms-v3d,cma-128 in config.txt"
	table(t, "cma", both, []row{
		{"no encoder that needs it", machine{}, ok("not needed: no encoder of this board takes its buffers there")},
		{
			"enough",
			machine{request: pi, files: meminfo("MemTotal: 1 kB\nCmaTotal:         524288 kB\nCmaFree:          512000 kB\n")},
			ok("512 MB of contiguous memory (CMA), 500 MB free"),
		},
		{
			"little",
			machine{request: pi, files: meminfo("CmaTotal: 32768 kB\nCmaFree: 30000 kB\n")},
			warn("32 MB of contiguous memory (CMA): an encoder may get no buffers", more),
		},
		{"none", machine{request: pi}, warn("0 MB of contiguous memory (CMA): an encoder may get no buffers", more)},
		{
			"used up",
			machine{request: pi, files: meminfo("CmaTotal: 262144 kB\nCmaFree: 4096 kB\n")},
			warn("4 of 256 MB of contiguous memory (CMA) are free", "end what holds it (other programs with a camera, a codec or a screen), or "+more),
		},
	})
}

func TestGPUMem(t *testing.T) {
	pi4 := Request{Encoders: []Encoder{v4l2, x264, vp8}}
	files := func(file, config string) fstest.MapFS {
		return fstest.MapFS{"proc/device-tree/compatible": text("raspberrypi,4-model-b\x00brcm,bcm2711\x00"), file: text(config)}
	}
	const current, old = "boot/firmware/config.txt", "boot/config.txt"
	const hint = "write gpu_mem=128 in /boot/firmware/config.txt and reboot"
	table(t, "gpu-mem", both, []row{
		{"another board", machine{request: pi4}, ok("not a Raspberry Pi")},
		{"a Pi without an encoder", machine{files: files(current, "gpu_mem=16\n")}, ok("not needed: this Raspberry Pi has no encoder")},
		{"not given", machine{request: pi4, files: files(current, "dtparam=audio=on\n#gpu_mem=16\n")}, ok("the firmware's default")},
		{"enough", machine{request: pi4, files: files(current, "gpu_mem=16\ngpu_mem_1024=128 # more\n")}, ok("gpu_mem=128")},
		{
			"the codecs left out",
			machine{request: pi4, files: files(current, "[pi5]\ngpu_mem=256\n[all]\ngpu_mem=16\n[pi0]\ngpu_mem=64\n")},
			warn("gpu_mem=16: the firmware leaves out its encoder", hint),
		},
		{
			"little, in the old place",
			machine{request: pi4, files: files(old, "gpu_mem=32\n")},
			warn("gpu_mem=32: little for an encoder at 1080p, which takes some 20 MB", "write gpu_mem=128 in /boot/config.txt and reboot"),
		},
	})
}

func TestClock(t *testing.T) {
	built := Request{Built: now.AddDate(0, -1, 0)}
	const hint = "sudo timedatectl set-ntp true; a board without a battery for its clock needs the network after each start"
	table(t, "clock", both, []row{
		{"right", machine{request: built}, ok("2026-11-25 12:00:00 UTC")},
		{"a file's date that is not known", machine{}, ok("2026-11-25 12:00:00 UTC")},
		{
			"at the epoch",
			machine{now: time.Unix(42, 0)},
			warn("1970-01-01 00:00:42 UTC is before this program was made: certificates (wss, https, TURN over TLS) are refused", hint),
		},
		{
			"at the last image's date",
			machine{request: built, now: now.AddDate(0, -2, 0)},
			warn("2026-09-25 12:00:00 UTC is before this program was made: certificates (wss, https, TURN over TLS) are refused", hint),
		},
		{
			"far ahead",
			machine{request: built, now: now.AddDate(60, 0, 0)},
			warn("2086-11-25 12:00:00 UTC is decades after this program was made: certificates (wss, https, TURN over TLS) are refused", hint),
		},
	})
}

func TestGovernor(t *testing.T) {
	files := func(governor, driver, available string) fstest.MapFS {
		const dir = "sys/devices/system/cpu/cpufreq/policy0/"
		return fstest.MapFS{
			dir + "scaling_governor": text(governor + "\n"), dir + "scaling_driver": text(driver + "\n"),
			dir + "scaling_available_governors": text(available + "\n"),
		}
	}
	const slow = "powersave: the CPU stays at its lowest speed, and pictures are lost in software encoders"
	table(t, "governor", both, []row{
		{"fixed speed", machine{}, ok("the kernel does not change the CPU's speed")},
		{"ondemand", machine{files: files("ondemand", "cpufreq-dt", "ondemand powersave")}, ok("ondemand")},
		{"a driver whose powersave speeds up", machine{files: files("powersave", "intel_pstate", "performance powersave")}, ok("powersave")},
		{
			"powersave",
			machine{files: files("powersave", "cpufreq-dt", "conservative ondemand userspace powersave performance")},
			warn(slow, "echo ondemand | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; for good, cpufreq.default_governor=ondemand on the kernel's command line"),
		},
		{
			"powersave, little else",
			machine{files: files("powersave", "cpufreq-dt", "powersave performance")},
			warn(slow, "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; for good, cpufreq.default_governor=performance on the kernel's command line"),
		},
	})
}

func TestPower(t *testing.T) {
	hwmon := func(alarm string) fstest.MapFS {
		return fstest.MapFS{
			"sys/class/hwmon/hwmon0/name": text("cpu_thermal\n"), "sys/class/hwmon/hwmon1/name": text("rpi_volt\n"),
			"sys/class/hwmon/hwmon1/in0_lcrit_alarm": text(alarm + "\n"),
		}
	}
	throttled := func(hex string) fstest.MapFS {
		return fstest.MapFS{"sys/devices/platform/soc/soc:firmware/get_throttled": text(hex + "\n")}
	}
	const hint = "use the power supply made for the board and a short, thick cable; give USB devices a hub with its own supply"
	const low = "the voltage is too low: the board slows down, and USB cameras drop out"
	table(t, "power", both, []row{
		{"another board", machine{}, ok("no sensor for it here (a Raspberry Pi has one)")},
		{"right", machine{files: hwmon("0")}, ok("the voltage is right")},
		{
			"another sensor's alarm",
			machine{files: fstest.MapFS{
				"sys/class/hwmon/hwmon0/name": text("nct6775\n"), "sys/class/hwmon/hwmon0/in0_lcrit_alarm": text("1\n"),
			}},
			ok("no sensor for it here (a Raspberry Pi has one)"),
		},
		{"right, by the firmware's word", machine{files: throttled("0")}, ok("the voltage is right")},
		{"low", machine{files: hwmon("1")}, warn(low, hint)},
		{"low, by the firmware's word", machine{files: throttled("50005")}, warn(low, hint)},
		{"low before", machine{files: throttled("0x50000")}, warn("the voltage was too low for a while", hint)},
		{"hot", machine{files: throttled("8")}, warn("the CPU is slowed down, for heat", "cool the board: a heat sink, a fan, a case with holes")},
	})
}
