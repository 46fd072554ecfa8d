//go:build e2e && !nogst

package gst

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/go-gst/go-gst/gst"
	"github.com/go-gst/go-gst/gst/app"

	"boardcast/pipeline"
)

// frames are what an encoder makes of the test picture, the first a keyframe, and their caps.
func frames(t *testing.T, encoder string) (list [][]byte, caps string) {
	t.Helper()
	initOnce()
	p, err := gst.NewPipelineFromString("videotestsrc num-buffers=20 ! video/x-raw,width=160,height=120,framerate=15/1 ! " + encoder + " ! appsink name=out sync=false")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.SetState(gst.StateNull) }()
	e, err := p.GetElementByName("out")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetState(gst.StatePlaying); err != nil {
		t.Fatal(err)
	}
	sink := app.SinkFromElement(e)
	for s := sink.PullSample(); s != nil; s = sink.PullSample() {
		list = append(list, s.GetBuffer().Bytes())
		caps = s.GetCaps().String()
	}
	if len(list) != 20 {
		t.Fatalf("%d frames", len(list))
	}
	return list, caps
}

// feeder is a stage whose frames a test pushes.
type feeder struct {
	t    *testing.T
	s    *stage
	src  *app.Source
	fan  *fan
	next time.Duration
}

func feed(t *testing.T, coded bool, caps string, parser ...pipeline.Node) *feeder {
	t.Helper()
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	f := e.Fan(coded)
	g := append(pipeline.Graph{pipeline.El("appsrc", "is-live=true", "format=time", "caps="+caps).Named("feed")}, parser...)
	g = append(g, pipeline.El("appsink", "drop=false", "sync=false").Named("out"))
	s, err := e.Start(t.Context(), g, nil, f)
	if err != nil {
		t.Fatal(err)
	}
	el, err := s.(*stage).pipe.p.GetElementByName("feed")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(); f.Close() })
	return &feeder{t: t, s: s.(*stage), src: app.SrcFromElement(el), fan: f.(*fan)}
}

func (f *feeder) push(key bool, data []byte) {
	f.t.Helper()
	b := gst.NewEmptyBuffer()
	if len(data) > 0 {
		b = gst.NewBufferFromBytes(data)
	}
	f.next += time.Second / 15
	b.SetPresentationTimestamp(gst.ClockTime(f.next))
	if !key {
		b.SetFlags(gst.BufferFlagDeltaUnit)
	}
	if r := f.src.PushBuffer(b); r != gst.FlowOK {
		f.t.Fatalf("push: %v", r)
	}
}

// complaint is an error of the stage's, or nil.
func (f *feeder) complaint() error {
	for {
		select {
		case e := <-f.s.Events():
			if e.Err != nil && !e.Warning {
				return e.Err
			}
		default:
			return nil
		}
	}
}

// viewer gets packets of the stage's frames. A stuck one takes none from its appsrc.
func (f *feeder) viewer(stuck bool, most int, payloader pipeline.Node) consumer {
	f.t.Helper()
	p, err := parse(pipeline.Graph{pipeline.El("appsrc", "is-live=true", "format=time", "max-bytes=0").Named("in"), pipeline.El("fakesink", "async=false")})
	if err != nil {
		f.t.Fatal(err)
	}
	state := gst.StatePlaying
	if stuck {
		state = gst.StatePaused // the sink holds its first buffer
	}
	if err := p.p.SetState(state); err != nil {
		f.t.Fatal(err)
	}
	c := consume(f.fan, p, most, payloader)
	f.t.Cleanup(func() { c.free(); _ = p.stop(time.Second, func() {}) })
	return c
}

// corrupt are frames that no encoder should make, by a name. good is a frame of an encoder's, of which some are made.
func corrupt(good []byte) map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 3000)
	for i := range noise {
		noise[i] = byte(1 + r.IntN(255))
	}
	flipped := slices.Clone(good)
	for range 40 {
		flipped[r.IntN(len(flipped))] ^= byte(1 << r.IntN(8))
	}
	start := []byte{0, 0, 0, 1}
	return map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 1<<20), "noise": noise, "one byte": {0x65}, "a start code": start,
		"noise after a start code": append(slices.Clone(start), noise...), "half": good[:len(good)/2], "flipped": flipped,
		"start codes": bytes.Repeat(start, 500), "large": bytes.Repeat(good, 100),
	}
}

var (
	h264Pay = pipeline.El("rtph264pay", "config-interval=-1", "aggregate-mode=zero-latency", "mtu=1192")
	vp8Pay  = pipeline.El("rtpvp8pay", "picture-id-mode=15-bit", "mtu=1192")
)

// A corrupt frame costs a viewer at most the frames up to the next keyframe, and a keyframe is requested.
func TestCorruptFrame(t *testing.T) {
	const h264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=100 ! video/x-h264,stream-format=byte-stream,profile=constrained-baseline"
	for _, c := range []struct {
		name, encoder string
		payloader     pipeline.Node
		parser        []pipeline.Node
	}{
		{"h264", h264, h264Pay, nil},
		{"h264 of a camera", h264, h264Pay, []pipeline.Node{pipeline.El("h264parse", "config-interval=-1")}},
		{"vp8", "vp8enc deadline=1", vp8Pay, nil},
	} {
		list, caps := frames(t, c.encoder)
		for name, bad := range corrupt(list[0]) {
			for _, key := range []bool{true, false} {
				t.Run(c.name+"/"+name, func(t *testing.T) {
					f := feed(t, true, caps, c.parser...)
					v := f.viewer(false, 0, c.payloader)
					group := func() {
						before, _ := v.count()
						for i, frame := range list {
							f.push(i == 0, frame)
						}
						eventually(t, "a group is sent", 5*time.Second, func() bool { n, _ := v.count(); return n >= before+len(list) })
					}
					group()
					for range 3 {
						f.push(key, bad)
					}
					group()
					if err := f.complaint(); err != nil {
						t.Errorf("the stage fails: %v", err)
					}
				})
			}
		}
	}
}

// A stage gets the blame when no packets can be made of ten frames in a row, and not before.
func TestRefusedFrames(t *testing.T) {
	list, caps := frames(t, "vp8enc deadline=1")
	for _, refused := range []int{9, 10} {
		f := feed(t, true, caps)
		v := f.viewer(false, 0, vp8Pay)
		f.push(true, list[0])
		for range refused {
			f.push(true, []byte{0})
		}
		f.push(true, list[0])
		eventually(t, "the good frame is sent", 5*time.Second, func() bool { n, _ := v.count(); return n == 2 })
		if _, dropped := v.count(); dropped != refused {
			t.Errorf("%d of %d frames were refused", dropped, refused)
		}
		if err := f.complaint(); (err != nil) != (refused >= 10) {
			t.Errorf("after %d frames that were refused the stage says %v", refused, err)
		}
		select {
		case <-f.fan.KeyWanted():
		default:
			t.Error("no keyframe is asked for")
		}
	}
}

// For a stuck viewer no more sound waits than its bound allows.
func TestStuckViewersSound(t *testing.T) {
	f := feed(t, false, "audio/x-opus,channel-mapping-family=0")
	v := f.viewer(true, int(subscriptionBound[pipeline.AudioSlot]), pipeline.El("rtpopuspay"))
	other := f.viewer(false, 0, pipeline.El("rtpopuspay"))
	const sent = 200
	for i := range sent {
		f.push(true, []byte{0xfc, byte(i), 1})
		eventually(t, "the other viewer hears it", 5*time.Second, func() bool { n, _ := other.count(); return n == i+1 })
	}
	if pushed, dropped := v.count(); pushed > int(subscriptionBound[pipeline.AudioSlot])+2 || pushed+dropped != sent {
		t.Errorf("of %d frames %d wait and %d are dropped", sent, pushed, dropped)
	}
}

// A payloader that is broken is replaced by a new one.
func TestBrokenPayloader(t *testing.T) {
	f := feed(t, false, "application/x-rtp")
	v := f.viewer(false, 0, pipeline.El("identity", "eos-after=3"))
	const sent = 12
	for i := range sent {
		f.push(true, rtp(96, 7, uint16(i)))
	}
	eventually(t, "all are seen", 5*time.Second, func() bool { pushed, dropped := v.count(); return pushed+dropped == sent })
	if pushed, _ := v.count(); pushed != sent*2/3 {
		t.Errorf("%d of %d frames are sent", pushed, sent)
	}
}
