//go:build !nogst

package gst

import (
	"testing"

	"boardcast/pipeline"
)

// The placeholder of a camera that is away, and the silence of a microphone that is, make frames. The placeholder says another reason
// while it runs.
func TestAwayGraphs(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pipeline.Choose(t.Context(), pipeline.Request{Width: 320, Height: 240}, pipeline.Given{
		Machine: Machine(), Away: pipeline.Away{Name: "front", Reason: "not there"}, Audio: pipeline.AudioSource{Silent: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]pipeline.Graph{"placeholder": plan.Capture, "silence": plan.Silence} {
		fan := e.Fan(false)
		defer fan.Close()
		s, err := e.Start(t.Context(), g, nil, fan)
		if err != nil {
			t.Fatal(err)
		}
		defer closeStage(t, s)
		if event := <-s.Events(); !event.First {
			t.Fatalf("%s: %+v, want a first frame", name, event)
		}
		if name == "placeholder" {
			if err := s.Set(pipeline.WordsName, "text", pipeline.PlaceholderText("front", "not permitted")); err != nil {
				t.Error(err)
			}
		}
		before := fan.Count().Frames
		await(t, name, func() bool { return fan.Count().Frames >= before+5 })
	}
}
