//go:build !nogst

package gst

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"boardcast/device"
	"boardcast/pipeline"
	"boardcast/pipeline/live"
	"boardcast/pipeline/produce"
)

// wide makes an encoder's graph that names another H.264 level than was agreed.
func wide(t *testing.T, g pipeline.Graph, level string) pipeline.Graph {
	t.Helper()
	out := append(pipeline.Graph{}, g...)
	for i, n := range out {
		if strings.Contains(n.Caps, "level=(string)") {
			out[i].Caps = strings.Replace(n.Caps, "level=(string)3.1", "level=(string)"+level, 1)
			return out
		}
	}
	t.Fatalf("no level in %s", g)
	return nil
}

// producer is one producer's status.
func producer(t *testing.T, b *live.Broadcast, name string) produce.Status {
	t.Helper()
	for _, l := range b.Status().Producers {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no producer %s in %+v", name, b.Status())
	return produce.Status{}
}

// sentTo is how many video frames went to the viewer.
func sentTo(b *live.Broadcast, id string) uint64 {
	for _, v := range b.Status().Viewers {
		if v.ID == id && v.Sent != nil {
			return v.Sent.VideoFrames
		}
	}
	return 0
}

// The first encoder breaks in different ways, each time with a replacement whose SPS names another level than the SDP: the
// connected viewer's frames go on.
func TestEncoderIsReplacedUnderAViewer(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		breaks pipeline.Node
	}{
		{"errs", pipeline.El("identity", "error-after=30")},
		{"makes nothing", pipeline.El("valve", "drop=true")},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := testPlan(t, e, "h264")
			broken := append(pipeline.Graph{plan.Choices[0].Graph[0], c.breaks}, plan.Choices[0].Graph[1:]...)
			spare := plan.Choices[0]
			spare.Encoder.ID, spare.Graph = "spare", wide(t, spare.Graph, "4.2")
			plan.Choices[0].Graph = broken
			plan.Spares = append([]pipeline.Choice{spare}, plan.Spares...)
			a, b := broadcast(t, e, plan), broadcast(t, e, testPlan(t, e, "auto"))
			va, vb := call(t, a, b)
			defer hangUp(va, vb)
			eventually(t, "the encoder is replaced", 15*time.Second, func() bool { return producer(t, a, "h264").Encoder == "spare" })
			before := sentTo(a, "callee")
			eventually(t, "frames go on", 10*time.Second, func() bool { return sentTo(a, "callee") > before+30 })
			if l := producer(t, a, "h264"); l.Replaced != 1 {
				t.Errorf("replaced %d times", l.Replaced)
			}
			select {
			case <-va.Done():
				t.Error("the viewer was lost")
			default:
			}
		})
	}
}

// A camera whose stream ends is replaced by the placeholder, in the form of its own pictures whatever that was, and comes
// back; the viewer's frames go on, and the encoder with them.
func TestPlaceholderUnderAViewer(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, fourCC, made string }{
		{"webcam", "YUYV", "format=YUY2,colorimetry=2:4:7:1"},
		{"jpeg", "MJPG", "format=Y42B,colorimetry=1:4:0:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			camera := device.Camera{Path: "/dev/video99", Name: `A <b>"camera"</b> & more!`, Formats: []device.Format{{
				FourCC: c.fourCC, Sizes: []device.Size{{Width: 320, Height: 240, Rates: []device.Rate{{Num: 15, Den: 1}}}},
			}}}
			plan, err := pipeline.Choose(t.Context(), pipeline.Request{Encoder: "x264enc"}, pipeline.Given{
				Machine: Machine(), Camera: &camera, Audio: pipeline.AudioSource{None: true},
			})
			if err != nil {
				t.Fatal(err)
			}
			plan.Capture = pipeline.Graph{
				pipeline.El("videotestsrc", "is-live=true", "num-buffers=45"),
				pipeline.Filter("video/x-raw,%s,width=320,height=240,framerate=15/1", c.made),
				plan.Capture[len(plan.Capture)-1],
			}
			a, b := broadcast(t, e, plan), broadcast(t, e, testPlan(t, e, "auto"))
			va, vb := call(t, a, b)
			defer hangUp(va, vb)
			for range 2 {
				eventually(t, "the placeholder is there", 15*time.Second, func() bool { return producer(t, a, "capture").Placeholder })
				before := sentTo(a, "callee")
				a.Again()
				eventually(t, "the camera is back", 10*time.Second, func() bool { return !producer(t, a, "capture").Placeholder })
				eventually(t, "frames go on", 10*time.Second, func() bool { return sentTo(a, "callee") > before+20 })
			}
			if l := producer(t, a, "h264"); l.Encoder != "x264enc" || l.Replaced != 0 {
				t.Errorf("the encoder did not bear it: %+v", l)
			}
		})
	}
}

// A camera that encodes by itself: its stream reaches a viewer untouched, is decoded for one who takes VP8 alone, and is
// replaced by a placeholder that is encoded here.
func TestOwnStreamUnderViewers(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	camera := device.Camera{Path: "/dev/video99", Name: "C920", Formats: []device.Format{{
		FourCC: "H264", Sizes: []device.Size{{Width: 320, Height: 240, Rates: []device.Rate{{Num: 15, Den: 1}}}},
	}}}
	plan, err := pipeline.Choose(t.Context(), pipeline.Request{}, pipeline.Given{
		Machine: Machine(), Camera: &camera, Direct: true, Audio: pipeline.AudioSource{None: true}, Trials: suits{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Choices) != 2 || !plan.Choices[0].Direct {
		t.Fatalf("choices %+v", plan.Choices)
	}
	plan.Choices[0].Graph = append(pipeline.Graph{
		pipeline.El("videotestsrc", "is-live=true", "num-buffers=90"),
		pipeline.Filter("video/x-raw,format=I420,width=320,height=240,framerate=15/1"),
		pipeline.El("x264enc", "tune=zerolatency", "key-int-max=15"),
		pipeline.Filter("video/x-h264,profile=constrained-baseline"),
	}, plan.Choices[0].Graph[2:]...)
	a := broadcast(t, e, plan)
	b, firefox := broadcast(t, e, testPlan(t, e, "auto")), broadcast(t, e, testPlan(t, e, "vp8"))
	va, vb := call(t, a, b)
	defer hangUp(va, vb)
	eventually(t, "H.264 reaches the viewer", 15*time.Second, func() bool { return sentTo(a, "callee") > 10 })
	if l := producer(t, a, "h264"); l.Encoder != "camera" || l.Placeholder {
		t.Errorf("not the camera's own: %+v", l)
	}
	wa, wb := callEdited(t, a, firefox, withoutH264, nil)
	defer hangUp(wa, wb)
	eventually(t, "VP8 is made of it", 15*time.Second, func() bool { return producer(t, a, "vp8").Frames > 10 })
	eventually(t, "the placeholder is there", 15*time.Second, func() bool { return producer(t, a, "h264").Placeholder })
	before := sentTo(a, "callee")
	eventually(t, "frames go on", 10*time.Second, func() bool { return sentTo(a, "callee") > before+20 })
}

// withoutH264 takes the payload types of H.264 out of an offer.
func withoutH264(sdp string) string {
	var out []string
	gone := regexp.MustCompile(`^a=(rtpmap|fmtp|rtcp-fb):102[ :]`)
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, "m=video") {
			l = strings.Replace(l, " 102", "", 1)
		}
		if !gone.MatchString(l) {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

// suits proves everything, a camera's own stream with a keyframe a second.
type suits struct{}

func (suits) Encoder(context.Context, pipeline.Encoder, pipeline.Raw, pipeline.VideoFormat) pipeline.Verdict {
	return pipeline.Verdict{Outcome: pipeline.OutcomeUsable}
}

func (suits) Source(context.Context, pipeline.Graph, string, pipeline.Codec) pipeline.Verdict {
	return pipeline.Verdict{
		Outcome: pipeline.OutcomeUsable, ProfileLevelID: "42c01f", Source: pipeline.SourceFacts{GOP: 15},
	}
}
