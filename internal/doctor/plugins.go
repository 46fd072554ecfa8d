package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const (
	withoutGStreamer = "built without GStreamer"
	withGStreamer    = "build it with GStreamer: `make build`"
)

// needs are the elements that every stream needs beside its encoder, each with its Debian package and how bad it is when the element
// is missing.
var needs = []struct {
	element, pack string
	missing       Status
}{
	{"appsrc", "gstreamer1.0-plugins-base", Failure},
	{"videoconvert", "gstreamer1.0-plugins-base", Failure},
	{"videoscale", "gstreamer1.0-plugins-base", Failure},
	{"videotestsrc", "gstreamer1.0-plugins-base", Failure},
	{"decodebin", "gstreamer1.0-plugins-base", Failure},
	{"audioconvert", "gstreamer1.0-plugins-base", Failure},
	{"audioresample", "gstreamer1.0-plugins-base", Failure},
	{"opusenc", "gstreamer1.0-plugins-base", Failure},
	{"level", "gstreamer1.0-plugins-good", Failure},
	{"rtpbin", "gstreamer1.0-plugins-good", Failure},
	{"rtph264pay", "gstreamer1.0-plugins-good", Failure},
	{"v4l2src", "gstreamer1.0-plugins-good", Failure},
	{"jpegdec", "gstreamer1.0-plugins-good", Warning}, // for cameras that give MJPEG
	{"webrtcbin", "gstreamer1.0-plugins-bad", Failure},
	{"dtlsdec", "gstreamer1.0-plugins-bad", Failure},
	{"srtpenc", "gstreamer1.0-plugins-bad", Failure},
	{"sctpenc", "gstreamer1.0-plugins-bad", Failure},
	{"h264parse", "gstreamer1.0-plugins-bad", Failure},
	{"nicesink", "gstreamer1.0-nice", Failure},
	{"alsasrc", "gstreamer1.0-alsa", Warning},   // sound
	{"clockoverlay", "gstreamer1.0-x", Warning}, // the clock in the test picture
}

// plugins checks that the elements of needs are installed.
func plugins(_ context.Context, x *exam) Result {
	if x.GStreamer == nil {
		return fail(withoutGStreamer, withGStreamer)
	}
	status := Warning
	var missing, packages []string
	for _, n := range needs {
		if x.GStreamer.Installed(n.element) {
			continue
		}
		missing, packages = append(missing, n.element), append(packages, n.pack)
		if n.missing == Failure {
			status = Failure
		}
	}
	if len(missing) == 0 {
		return fine("all %d elements are installed", len(needs))
	}
	slices.Sort(packages)
	return Result{
		Status: status,
		Detail: fmt.Sprintf("missing: %s", strings.Join(missing, ", ")),
		Hint:   "sudo apt install " + strings.Join(slices.Compact(packages), " "),
	}
}
