package live

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
	"boardcast/pipeline/produce"
)

// agreed has a viewer agree on picture and sound, by our offer.
func agreed(t *testing.T, b *Broadcast, e *fake.Engine) *fake.Peer {
	t.Helper()
	v, p, _ := join(t, b, e)
	v.Receive(Message{OfferRequest: true})
	synctest.Wait()
	events(p, media.PeerEvent{Kind: media.NegotiationNeeded}, described(p, "offer"))
	v.Receive(Message{Type: "answer", SDP: answerOf(chromiumVideo, opusAudio, dataSection)})
	synctest.Wait()
	events(p, media.PeerEvent{Kind: media.DescriptionSet, Index: 1}, media.PeerEvent{Kind: media.ConnectionChanged, State: media.ConnectionConnected})
	return p
}

// runs reports whether a stage of an element runs.
func runs(e *fake.Engine, element string) bool {
	return slices.ContainsFunc(e.Of(element), func(s *fake.Stage) bool { return !s.IsClosed() })
}

// A viewer that came while the microphone was away hears it when it comes, and silence while it is gone again, without joining anew.
func TestMicrophoneThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := func(a pipeline.AudioSource) pipeline.Plan {
			p, err := pipeline.Choose(t.Context(), pipeline.Request{}, pipeline.Given{Machine: pipeline.Machine{Installed: software}, Audio: a})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		b, e := startPlan(t, plan(pipeline.AudioSource{Silent: true}), Options{})
		p := agreed(t, b, e)
		if !slices.Contains(p.Said(), "attach 1 rtpopuspay") || !runs(e, "audiotestsrc") {
			t.Fatalf("without a microphone the viewer is sent no silence: %q", p.Said())
		}
		microphone := plan(pipeline.AudioSource{PCM: "hw:CARD=Mic,DEV=0"})
		for _, step := range []struct {
			name   string
			plan   pipeline.Plan
			silent bool
		}{{"it comes", microphone, false}, {"it is unplugged", plan(pipeline.AudioSource{Silent: true}), true}, {"it is back", microphone, false}} {
			b.Adopt(step.plan)
			<-time.After(time.Second)
			synctest.Wait()
			if silent, heard := runs(e, "audiotestsrc"), runs(e, "alsasrc"); silent != step.silent || heard == step.silent {
				t.Errorf("%s: silence %v, the microphone %v", step.name, silent, heard)
			}
		}
		e.Of("alsasrc")[len(e.Of("alsasrc"))-1].Post <- media.StageEvent{Err: media.ErrEnded}
		<-time.After(100 * time.Millisecond)
		if !runs(e, "audiotestsrc") {
			t.Error("no silence for a microphone that failed")
		}
		if n := len(p.Said()); n == 0 || b.Status().Joined != 1 {
			t.Errorf("%d viewers joined", b.Status().Joined)
		}
	})
}

// A camera that is away at the start has its placeholder, which the status calls that, and the camera takes over when it is adopted.
func TestCameraThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := pipeline.Given{Machine: pipeline.Machine{Installed: software}, Audio: pipeline.AudioSource{None: true}}
		given.Away = pipeline.Away{Name: "front", Reason: "not there"}
		plan, err := pipeline.Choose(t.Context(), pipeline.Request{}, given)
		if err != nil {
			t.Fatal(err)
		}
		b, e := startPlan(t, plan, Options{})
		agreed(t, b, e)
		<-time.After(time.Second)
		shows := func() bool {
			return slices.ContainsFunc(b.Status().Producers, func(p produce.Status) bool { return p.Name == captureName && p.Placeholder })
		}
		if !shows() || !runs(e, "videotestsrc") {
			t.Fatal("no placeholder")
		}
		there := plan
		there.Source = pipeline.VideoSource{Device: "/dev/video0", Name: "Cam", FourCC: "YUYV", Width: 640, Height: 480, FPSNum: 30, FPSDen: 1}
		there.Capture, there.Placeholder = pipeline.Graph{pipeline.El("v4l2src", "device=/dev/video0")}, plan.Capture
		b.Adopt(there)
		<-time.After(time.Second)
		if shows() || !runs(e, "v4l2src") || runs(e, "videotestsrc") {
			t.Error("the camera did not take over")
		}
		e.Of("v4l2src")[0].Post <- media.StageEvent{Err: media.ErrEnded}
		<-time.After(100 * time.Millisecond)
		if !shows() {
			t.Error("no placeholder once the camera is gone")
		}
	})
}
