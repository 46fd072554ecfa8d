package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// driver says what an encoder in hardware needs.
type driver struct {
	elements string   // pattern of the names of its elements
	nodes    []string // patterns of its device nodes, one of which is enough
	name     string   // part of the name in /sys that the V4L2 node of an encoder has; empty for any
	plugin   string   // file of GStreamer's plugin
	absent   string   // what to do when a board that has the encoder has no such node; empty where nothing is wrong then
}

// drivers are looked through in order. Sources: the nodes that GStreamer's plugins v4l2, va, qsv and nvcodec open, those that
// rockchip-linux/mpp opens, and NVIDIA's and NXP's board support packages.
var drivers = []driver{
	{
		"v4l2*",
		[]string{"dev/video*"},
		"enc", "libgstvideo4linux2.so",
		"the kernel's driver of the encoder is not loaded: run the kernel of the board's maker; on a Raspberry Pi " +
			"`sudo modprobe bcm2835-codec` loads it",
	},
	{
		"mpp*",
		[]string{"dev/mpp_service"},
		"", "libgstrockchipmpp.so",
		"the mainline kernel has no driver of this encoder: run the kernel of the board's maker",
	},
	{"nvv4l2*", []string{"dev/nvhost-msenc", "dev/v4l2-nvenc"}, "", "libgstnvvideo4linux2.so", ""},
	{"nvh264enc", []string{"dev/nvidia0"}, "", "libgstnvcodec.so", ""},
	{
		"vpuenc_*",
		[]string{"dev/mxc_hantro*", "dev/mxc_vpu*"},
		"", "libgstvpu.so",
		"the mainline kernel has no driver of this encoder: run the kernel of NXP's board support package",
	},
	{"va[hv]*", []string{"dev/dri/renderD*"}, "", "libgstva.so", ""},
	{"vaapi*", []string{"dev/dri/renderD*"}, "", "libgstvaapi.so", ""},
	{"qsv*", []string{"dev/dri/renderD*"}, "", "libgstqsv.so", ""},
}

// standing says how much of an encoder in hardware there is. The lowest one is reported first.
type standing int

const (
	present  standing = iota // GStreamer has the element
	shut                     // the node is there, and this user may not open it
	unseen                   // the node and the plugin are there, and the element is not
	unplugin                 // the node is there, and the plugin is not
	absent                   // there is no node
	unknown                  // drivers has no row for it
)

// found is an encoder in hardware with its standing.
type found struct {
	Encoder
	driver
	standing
	nodes []device
}

// hardware looks at the board's encoders in hardware, and orders them by their standing.
func (x *exam) hardware() []found {
	var list []found
	for _, e := range x.request.Encoders {
		if e.Hardware {
			list = append(list, x.look(e))
		}
	}
	slices.SortStableFunc(list, func(a, b found) int { return int(a.standing - b.standing) })
	return list
}

// look finds out the standing of one encoder in hardware.
func (x *exam) look(e Encoder) found {
	f := found{Encoder: e, standing: unknown}
	i := slices.IndexFunc(drivers, func(d driver) bool { return matches(d.elements, e.Element) })
	if i >= 0 {
		f.driver = drivers[i]
		f.nodes = slices.DeleteFunc(x.devices(f.driver.nodes...), func(d device) bool { return !x.called(d, f.name) })
		switch {
		case len(f.nodes) == 0:
			f.standing = absent
		case !slices.ContainsFunc(f.nodes, func(d device) bool { return d.err == nil }):
			f.standing = shut
		case x.plugin(f.plugin):
			f.standing = unseen
		default:
			f.standing = unplugin
		}
	}
	if x.GStreamer.Installed(e.Element) {
		f.standing = present
	}
	return f
}

// called reports whether the name of a V4L2 node contains part.
func (x *exam) called(d device, part string) bool {
	name := x.word("sys/class/video4linux/" + strings.TrimPrefix(d.path, "/dev/") + "/name")
	return part == "" || strings.Contains(strings.ToLower(name), part)
}

// plugin reports whether a plugin's file is in a directory where GStreamer looks.
func (x *exam) plugin(file string) bool {
	dirs := []string{"usr/lib/*/gstreamer-1.0", "usr/lib/gstreamer-1.0", "usr/lib64/gstreamer-1.0", "usr/local/lib/*/gstreamer-1.0"}
	for _, name := range []string{"GST_PLUGIN_PATH_1_0", "GST_PLUGIN_PATH", "GST_PLUGIN_SYSTEM_PATH_1_0"} {
		for dir := range strings.SplitSeq(x.Process.Getenv(name), ":") {
			if dir = strings.Trim(dir, "/"); dir != "" {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range dirs {
		if len(x.glob(dir+"/"+file)) > 0 {
			return true
		}
	}
	return false
}

// expects reports whether the board has an encoder in hardware whose element matches a pattern.
func (x *exam) expects(patterns ...string) bool {
	return slices.ContainsFunc(x.request.Encoders, func(e Encoder) bool {
		return e.Hardware && slices.ContainsFunc(patterns, func(p string) bool { return matches(p, e.Element) })
	})
}

// encoder tells which encoder would be used. It makes no trial: `boardcast encoders` does.
func encoder(_ context.Context, x *exam) Result {
	if x.GStreamer == nil {
		return warn("not looked at: "+withoutGStreamer, withGStreamer)
	}
	software, lacking := x.software()
	if hardware := x.hardware(); len(hardware) > 0 {
		first := hardware[0]
		if first.standing == present {
			return fine("%s in hardware; `boardcast encoders` tries it", first.Element)
		}
		if len(software) > 0 {
			if detail, hint := x.idle(first); hint != "" {
				return warn(fmt.Sprintf("%s; %s in software stands in", detail, strings.Join(software, ", ")), hint)
			}
		}
	}
	switch {
	case len(software) == 0:
		return fail("no encoder is installed", install(lacking))
	case len(lacking) > 0:
		return warn("no encoder for "+lacking[0].Codec+" is installed: some browsers take nothing else", install(lacking[:1]))
	}
	return fine("%s in software; no encoder in hardware", strings.Join(software, ", "))
}

// software lists the encoders in software that are installed. For each codec without one lacking has the first that could be installed.
func (x *exam) software() (installed []string, lacking []Encoder) {
	has := map[string]bool{}
	for _, e := range x.request.Encoders {
		if !e.Hardware && x.GStreamer.Installed(e.Element) {
			installed, has[e.Codec] = append(installed, e.Element), true
		}
	}
	for _, e := range x.request.Encoders {
		if !e.Hardware && !has[e.Codec] {
			lacking, has[e.Codec] = append(lacking, e), true
		}
	}
	return installed, lacking
}

// idle says why an encoder in hardware is not used. The hint is empty where nothing is to be mended, or another check says it.
func (x *exam) idle(f found) (detail, hint string) {
	switch f.standing {
	case shut:
		return f.Element + " is not there: no permission for " + paths(f.nodes), x.permit(f.nodes)
	case unplugin:
		return fmt.Sprintf("%s is not installed, its device %s is there", f.Element, paths(f.nodes)), "install " + f.Package
	case unseen:
		if f.absent != "" { // the board is known to have the encoder
			return fmt.Sprintf("GStreamer does not see %s, though %s is there", f.Element, paths(f.nodes)),
				"mend what the line on the registry says; if it finds nothing, this GStreamer does not know the driver: try a newer one"
		}
	case absent:
		return fmt.Sprintf("this board has an encoder for %s, but there is no device of it", f.Element), f.absent
	case present, unknown:
	}
	return "", ""
}

// install is the command that installs the packages of the encoders.
func install(list []Encoder) string {
	var packages []string
	for _, e := range list {
		packages = append(packages, e.Package)
	}
	slices.Sort(packages)
	return "sudo apt install " + strings.Join(slices.Compact(packages), " ")
}
