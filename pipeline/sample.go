package pipeline

// Sample is the graph that makes a dozen frames to try an encoder with: bars that move and a patch of noise, in the form of a capture's
// frames. It ends in the appsink that [OutName] names.
func Sample(raw Raw) Graph {
	format, more, frames := raw.Format, "", 12
	switch format {
	case "":
		format = "Y42B" // what JPEG of webcams decodes to
	case "YUY2", "UYVY":
		more = ",colorimetry=2:4:7:1" // sRGB, which V4L2 says of webcams, and which some drivers refuse
	}
	var there Graph
	if raw.Memory == memoryNVMM { // nvvidconv does not convert from plain memory to plain memory, and has few buffers
		format, more, frames = "NV12", "", 3
		there = Graph{El(byVIC), Filter("video/x-raw(memory:%s),format=NV12", raw.Memory)}
	}
	g := Graph{
		El("videotestsrc", "num-buffers="+itoa(frames), "pattern=smpte", "horizontal-speed=4"),
		Filter("video/x-raw,format=%s,width=%d,height=%d,framerate=%d/%d%s", format, raw.Width, raw.Height,
			max(1, raw.FPSNum), max(1, raw.FPSDen), more),
	}
	return append(append(g, there...), El("appsink", "sync=false", "max-buffers=0").Named(OutName))
}
