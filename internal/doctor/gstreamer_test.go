package doctor

import (
	"errors"
	"testing"
	"testing/fstest"
)

var both = []Status{OK, Warning}

func TestPlugins(t *testing.T) {
	table(t, "plugins", []Status{OK, Warning, Failure}, []row{
		{"all there", machine{}, ok("all 21 elements are installed")},
		{
			"what can be done without",
			machine{lacks: []string{"clockoverlay", "alsasrc"}},
			warn("missing: alsasrc, clockoverlay", "sudo apt install gstreamer1.0-alsa gstreamer1.0-x"),
		},
		{
			"what can't, each package once",
			machine{lacks: []string{"webrtcbin", "dtlsdec", "nicesink", "clockoverlay"}},
			fail("missing: webrtcbin, dtlsdec, nicesink, clockoverlay",
				"sudo apt install gstreamer1.0-nice gstreamer1.0-plugins-bad gstreamer1.0-x"),
		},
		{"no GStreamer", machine{nogst: true}, fail("built without GStreamer", "build it with GStreamer: `make build`")},
	})
}

// piFiles are a Pi's encoder nodes, with GStreamer's plugin.
func piFiles() fstest.MapFS {
	files := fstest.MapFS{plugins1 + "libgstvideo4linux2.so": text("")}
	encoderNode(files, "video10", "bcm2835-codec-decode", videoGID, 0o660)
	encoderNode(files, "video11", "bcm2835-codec-encode", videoGID, 0o660)
	return files
}

func TestEncoder(t *testing.T) {
	pi := Request{Encoders: []Encoder{v4l2, x264, vp8}}
	rk := Request{Encoders: []Encoder{mppE, x264, vp8}}
	pc := Request{Encoders: []Encoder{vaE, x264, vp8}}
	locked := piFiles()
	noPlugin := fstest.MapFS{"dev/mpp_service": charNode(videoGID, 0o660)}
	decoderOnly := fstest.MapFS{}
	encoderNode(decoderOnly, "video10", "bcm2835-codec-decode", videoGID, 0o660)
	inVideo := []int{videoGID}
	noV4L2, noVA := []string{"v4l2h264enc"}, []string{"vah264enc"}
	render := fstest.MapFS{"dev/dri/renderD128": charNode(renderGID, 0o660), plugins1 + "libgstva.so": text("")}
	const instead = "; x264enc, vp8enc in software stands in"
	table(t, "encoder", []Status{OK, Warning, Failure}, []row{
		{"in hardware", machine{files: piFiles(), groups: inVideo, request: pi}, ok("v4l2h264enc in hardware; `boardcast encoders` tries it")},
		{
			"the second of two",
			machine{request: Request{Encoders: []Encoder{vaE, mppE, x264, vp8}}, lacks: noVA},
			ok("mpph264enc in hardware; `boardcast encoders` tries it"),
		},
		{"in software", machine{}, ok("x264enc, vp8enc in software; no encoder in hardware")},
		{"a PC without a GPU", machine{request: pc, lacks: noVA}, ok("x264enc, vp8enc in software; no encoder in hardware")},
		{
			"a PC whose GPU encodes nothing",
			machine{request: pc, lacks: noVA, files: render, groups: []int{renderGID}},
			ok("x264enc, vp8enc in software; no encoder in hardware"),
		},
		{
			"a PC's GPU not permitted",
			machine{request: pc, lacks: noVA, files: render},
			warn("vah264enc is not there: no permission for /dev/dri/renderD128"+instead,
				"sudo usermod -aG render $USER, then log out and in again"),
		},
		{
			"not permitted",
			machine{files: locked, request: pi, lacks: noV4L2},
			warn("v4l2h264enc is not there: no permission for /dev/video11"+instead,
				"sudo usermod -aG video $USER, then log out and in again"),
		},
		{
			"permitted and not seen",
			machine{files: piFiles(), groups: inVideo, request: pi, lacks: noV4L2},
			warn("GStreamer does not see v4l2h264enc, though /dev/video11 is there"+instead,
				"mend what the line on the registry says; if it finds nothing, this GStreamer does not know the driver: try a newer one"),
		},
		{
			"no plugin",
			machine{files: noPlugin, groups: inVideo, request: rk, lacks: []string{"mpph264enc"}},
			warn("mpph264enc is not installed, its device /dev/mpp_service is there"+instead, "install gstreamer1.0-rockchip1"),
		},
		{
			"no driver",
			machine{files: decoderOnly, groups: inVideo, request: pi, lacks: noV4L2},
			warn("this board has an encoder for v4l2h264enc, but there is no device of it"+instead, drivers[0].absent),
		},
		{
			"none for one codec",
			machine{lacks: []string{"x264enc"}},
			warn("no encoder for h264 is installed: some browsers take nothing else", "sudo apt install gstreamer1.0-plugins-ugly"),
		},
		{
			"none at all",
			machine{lacks: []string{"x264enc", "vp8enc"}},
			fail("no encoder is installed", "sudo apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"),
		},
		{"no GStreamer", machine{nogst: true}, warn("not looked at: built without GStreamer", "build it with GStreamer: `make build`")},
	})
}

// A plugin may be in a directory that only an environment variable names.
func TestPluginPath(t *testing.T) {
	m := machine{
		files: fstest.MapFS{"dev/mpp_service": charNode(videoGID, 0o660), "opt/gst/libgstrockchipmpp.so": text("")},
		env:   map[string]string{"GST_PLUGIN_PATH": "/nowhere:/opt/gst"},
	}
	x := &exam{Host: m.host()}
	if !x.plugin("libgstrockchipmpp.so") || x.plugin("libgstva.so") {
		t.Error("GST_PLUGIN_PATH is not looked at")
	}
}

func TestRegistry(t *testing.T) {
	const (
		file  = "home/pi/.cache/gstreamer-1.0/registry.aarch64.bin"
		named = "/run/boardcast/registry.bin"
		own   = "give boardcast a registry of its own: GST_REGISTRY=/var/cache/boardcast/registry.bin, where it may write"
	)
	home := map[string]string{"HOME": "/home/pi"}
	pi := Request{Encoders: []Encoder{v4l2, x264, vp8}}
	with := func(name string, f *fstest.MapFile) fstest.MapFS {
		files := piFiles()
		files[name] = f
		return files
	}
	lacks, has := []string{"v4l2h264enc"}, []string{"v4l2h264enc"}
	inVideo := []int{videoGID}
	readOnly := made(9)
	readOnly.Mode = 0o444
	twoKinds := with(file, made(9))
	twoKinds["home/pi/.cache/gstreamer-1.0/registry.armv7l.bin"] = made(99)
	table(t, "registry", both, []row{
		{"nothing is missing", machine{files: with(file, made(9)), env: home, request: pi, groups: inVideo}, ok("/" + file + " hides no encoder")},
		{
			"made just now",
			machine{files: piFiles(), env: home, request: pi, groups: inVideo, lacks: lacks, scan: file},
			ok("/" + file + " was made just now"),
		},
		{
			"the encoder is not permitted, which is another matter",
			machine{files: with(file, made(9)), env: home, request: pi, lacks: lacks, rescan: has},
			ok("/" + file + " hides no encoder"),
		},
		{
			"a new one has no more",
			machine{files: with(file, made(9)), env: home, request: pi, groups: inVideo, lacks: lacks},
			ok("/" + file + " hides no encoder: a new one has no more"),
		},
		{
			"a new one has the encoder",
			machine{files: twoKinds, env: home, request: pi, groups: inVideo, lacks: lacks, rescan: has},
			warn("/"+file+" hides v4l2h264enc: it was made when the device was not there or not permitted",
				"delete it, the next start makes a new one: rm /"+file+"; or "+own),
		},
		{
			"and the old one is another's",
			machine{files: with(file, readOnly), env: home, request: pi, groups: inVideo, lacks: lacks, rescan: has},
			warn("/"+file+" hides v4l2h264enc: it was made when the device was not there or not permitted", "this user may not write it; "+own),
		},
		{
			"named, and can't be compared",
			machine{
				files: with(named[1:], made(9)), env: map[string]string{"HOME": "/home/pi", "GST_REGISTRY": "/elsewhere", "GST_REGISTRY_1_0": named},
				request: pi, groups: inVideo, lacks: lacks, rescanErr: errors.New("too slow"),
			},
			warn(named+" lacks v4l2h264enc and could not be compared with a new one: too slow",
				"delete it, the next start makes a new one: rm "+named+"; or "+own),
		},
		{
			"can't be kept",
			machine{files: piFiles(), env: map[string]string{"XDG_CACHE_HOME": "/var/cache"}, request: pi, groups: inVideo},
			warn("/var/cache/gstreamer-1.0/registry.*.bin can't be written: every start looks at all plugins anew", own),
		},
		{"no place", machine{request: pi}, warn("GStreamer has no place for its registry: every start looks at all plugins anew", own)},
		{"no GStreamer", machine{nogst: true}, warn("not looked at: built without GStreamer", "build it with GStreamer: `make build`")},
	})
}
