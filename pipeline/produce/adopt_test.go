package produce

import (
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media/fake"
)

func TestAdoptedCameraTakesOverWithItsFirstPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, Alternative{ID: "camera", Graph: pipeline.Graph{pipeline.El("test")}})
		p.Use()
		<-time.After(time.Second)
		e.Turn(e.Still, "cam", true)
		p.Adopt(camera("cam"))
		<-time.After(time.Second)
		if e.Of("test")[0].IsClosed() {
			t.Fatal("the old picture ended before the new one began")
		}
		flows(t, p)
		e.Turn(e.Still, "cam", false)
		<-time.After(100 * time.Millisecond)
		if !e.Of("test")[0].IsClosed() || e.Of("cam")[0].IsClosed() {
			t.Error("the new picture did not take over")
		}
		p.Adopt(camera("cam")) // nothing new
		<-time.After(time.Second)
		if n := len(e.Of("cam")); n != 1 {
			t.Errorf("the same camera was started %d times", n)
		}
	})
}

// An encoder goes on when another camera is adopted, if it makes the same and can take the frames of that camera.
func TestAdoptedPlanKeepsTheEncoder(t *testing.T) {
	full := pipeline.Product{Makes: "x", Of: "I420 640x480", Scales: true}
	for _, c := range []struct {
		name     string
		old, new pipeline.Product
		want     bool
	}{
		{"other pictures, scaled", full, pipeline.Product{Makes: "x", Of: "NV12 320x240"}, true},
		{"other pictures, taken as they are", pipeline.Product{Makes: "x", Of: "NV12 640x480"}, full, false},
		{"the same pictures, taken as they are", pipeline.Product{Makes: "x", Of: "NV12 640x480"}, pipeline.Product{Makes: "x", Of: "NV12 640x480"}, true},
		{"another size out", full, pipeline.Product{Makes: "y", Of: "I420 640x480"}, false},
		{"more pictures than are wanted", full, pipeline.Product{Makes: "x", Of: "I420 640x480", Paced: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := fake.NewEngine()
				up := startProducer(t, e, nil)
				of := func(element string, p pipeline.Product) Alternative {
					return Alternative{ID: "hard", Graph: pipeline.Graph{pipeline.El(element)}, Up: up, Keyframe: pipeline.KeyframeEvent, Product: &p}
				}
				p := startAlternatives(t, e, of("old", c.old))
				p.Use()
				<-time.After(time.Second)
				p.Adopt([]Alternative{of("new", c.new)})
				<-time.After(time.Second)
				if kept := !e.Of("old")[0].IsClosed() && len(e.Of("new")) == 0; kept != c.want {
					t.Errorf("kept %v, want %v", kept, c.want)
				}
				flows(t, p)
			})
		})
	}
}
