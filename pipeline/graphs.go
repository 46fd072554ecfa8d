package pipeline

import "fmt"

// rawFormats maps V4L2 pixel formats to GStreamer's names.
var rawFormats = map[string]string{
	"YUYV": "YUY2", "UYVY": "UYVY", "YVYU": "YVYU", "NV12": "NV12", "NV21": "NV21", "YU12": "I420", "YV12": "YV12",
	"NM12": "NV12", "YM12": "I420", "422P": "Y42B", "GREY": "GRAY8", "RGB3": "RGB", "BGR3": "BGR",
}

// jpegDecoders are tried in this order.
var jpegDecoders = []string{"jpegdec", "avdec_mjpeg"}

// UnsupportedFormatError tells of a camera mode that no graph is known for.
type UnsupportedFormatError struct{ Device, FourCC string }

// Error names the device and the format.
func (e *UnsupportedFormatError) Error() string {
	return fmt.Sprintf("capture from %s: pixel format %s is not supported", e.Device, e.FourCC)
}

// Hint says how to go on.
func (e *UnsupportedFormatError) Hint() string {
	return "run 'boardcast devices' for the camera's formats; YUYV, NV12 and MJPG are the usual ones"
}

func captureGraph(v VideoSource, installed func(string) bool) (Graph, error) {
	rate := fmt.Sprintf("%d/%d", v.FPSNum, max(1, v.FPSDen))
	if v.Device == "" {
		return testGraph(v, rate, installed), nil
	}
	source := El("v4l2src", "device="+v.Device)
	if v.FourCC == "MJPG" || v.FourCC == "JPEG" {
		for _, d := range jpegDecoders {
			if installed(d) {
				return Graph{
					source, Filter("image/jpeg,width=%d,height=%d,framerate=%s", v.Width, v.Height, rate),
					El(d), outEnd(2),
				}, nil
			}
		}
	}
	format, ok := rawFormats[v.FourCC]
	if !ok {
		return nil, &UnsupportedFormatError{v.Device, v.FourCC}
	}
	return Graph{
		source, Filter("video/x-raw,format=%s,width=%d,height=%d,framerate=%s", format, v.Width, v.Height, rate),
		outEnd(2),
	}, nil
}

// testGraph is a moving picture with the time of day, which needs Pango; without it the picture only moves.
func testGraph(v VideoSource, rate string, installed func(string) bool) Graph {
	g := Graph{
		El("videotestsrc", "is-live=true", "pattern=smpte75", "horizontal-speed=2"),
		Filter("video/x-raw,format=I420,width=%d,height=%d,framerate=%s,pixel-aspect-ratio=1/1", v.Width&^1, v.Height&^1, rate),
	}
	if installed("clockoverlay") {
		g = append(g, El("clockoverlay", "time-format=%H:%M:%S", "halignment=center", "valignment=center",
			"shaded-background=true", "font-desc=Sans Bold 36"))
	}
	return append(g, outEnd(2))
}

func audioGraph(a AudioSource, bitrate int) Graph {
	var source Graph
	switch {
	case a.None:
		return nil
	case a.Test:
		source = Graph{El("audiotestsrc", "is-live=true", "wave=ticks", "freq=880", "volume=0.2", "samplesperbuffer=960")}
	default:
		source = Graph{El("alsasrc", "device="+a.PCM, "buffer-time=200000", "latency-time=20000")}
	}
	return append(source,
		El("audioconvert"), El("audioresample"), Filter("audio/x-raw,rate=48000,channels=[1,2]"),
		El("opusenc", "bitrate="+itoa(or(bitrate, defaultAudioBitrate)), "frame-size=20", "inband-fec=true", "packet-loss-percentage=5"),
		outEnd(8))
}

func hearGraph(s AudioSink) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=200000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"), El("audioconvert"), El("audioresample"), El("level", "interval=200000000", "post-messages=true"),
	}
	if s.PCM == "" {
		return append(g, El("fakesink", "sync=false", "async=false"))
	}
	return append(g, El("alsasink", "device="+s.PCM, "sync=false", "async=false", "buffer-time=100000"))
}

func seeGraph(display bool) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=500000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"),
	}
	if display {
		return append(g, El("videoconvert"), El("autovideosink", "sync=false"))
	}
	return append(g, El("fakesink", "sync=false", "async=false"))
}

// payloadTypes are the numbers of our own offers; when the other side offers, its numbers are taken.
var payloadTypes = map[Codec]int{H264: 102, VP8: 96}

const opusPayloadType = 111

// Preferences are the caps of one codec for a transceiver: what the SDP will say of it.
func Preferences(c Codec, f VideoFormat, pt int) string {
	feedback := "rtcp-fb-nack-pli=true,rtcp-fb-ccm-fir=true"
	head := fmt.Sprintf("application/x-rtp,media=video,encoding-name=%s,payload=%d,clock-rate=90000", encodingNames[c], pt)
	if c == H264 {
		head += fmt.Sprintf(",packetization-mode=(string)1,profile-level-id=(string)%s,level-asymmetry-allowed=(string)1",
			f.ProfileLevelID())
	}
	return head + "," + feedback
}

var encodingNames = map[Codec]string{H264: "H264", VP8: "VP8"}

func opusPreferences(pt int) string {
	return fmt.Sprintf("application/x-rtp,media=audio,encoding-name=OPUS,payload=%d,clock-rate=48000,"+
		"encoding-params=(string)2,minptime=(string)10,useinbandfec=(string)1", pt)
}

// viewerEnd is the head of a payload chain. The bound is the fan's affair: it drops whole groups, an appsrc single frames.
func viewerEnd() Node {
	return El("appsrc", "is-live=true", "format=time", "do-timestamp=false", "max-bytes=0", "max-buffers=0", "max-time=0").Named(InName)
}

// PayloadGraph is the chain from a coded fan to a viewer's webrtcbin.
func PayloadGraph(c Codec, pt int) Graph {
	if c == H264 {
		return Graph{
			viewerEnd(),
			El("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1200", "pt="+itoa(pt)),
		}
	}
	return Graph{viewerEnd(), El("rtpvp8pay", "picture-id-mode=15-bit", "mtu=1200", "pt="+itoa(pt))}
}

func opusPayloadGraph(pt int) Graph {
	return Graph{viewerEnd(), El("rtpopuspay", "mtu=1200", "pt="+itoa(pt))}
}
