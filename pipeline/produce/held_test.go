package produce

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/media/fake"
)

// logged starts a producer whose log is kept.
func logged(t *testing.T, e *fake.Engine, o Options, list ...Alternative) (*Producer, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	o.Name, o.Grace = "test", time.Second
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	if o.Explain == nil {
		o.Explain = func(err error) error { return err }
	}
	p := New(e, o)
	p.Prepare(list)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return p, &log
}

// A camera that takes long to be closed is waited for, and neither opened beside itself nor reported.
func TestCameraThatIsStillClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name        string
			closes      time.Duration // how long the closing takes
			after       time.Duration // when what serves is looked at, since the second user came
			opened      int
			placeholder bool
		}{
			{"while it closes", 3 * time.Second, 2 * time.Second, 1, false},
			{"once it is closed", 3 * time.Second, 2900 * time.Millisecond, 2, false},
			{"closing for ever", time.Hour, closeWait, 2, true},
		} {
			e := fake.NewEngine()
			p, log := logged(t, e, Options{}, camera("cam")...)
			p.Use()
			<-time.After(time.Second)
			hang := make(chan struct{})
			e.Of("cam")[0].Hang = hang
			time.AfterFunc(time.Second+c.closes, func() { close(hang) })
			p.Drop()
			<-time.After(1100 * time.Millisecond) // the grace is over, and it is being closed
			if c.placeholder {
				e.Refuses("cam", errBroken) // busy
			}
			p.Use()
			<-time.After(c.after)
			synctest.Wait()
			if n, shown := len(e.Of("cam")), p.Status().Placeholder; n != c.opened || shown != c.placeholder {
				t.Errorf("%s: opened %d times, a placeholder %v; want %+v", c.name, n, shown, c)
			}
			if told := strings.Contains(log.String(), "camera gone"); told != c.placeholder {
				t.Errorf("%s: told that it is gone %v\n%s", c.name, told, log)
			}
			p.Drop()
			<-time.After(2 * time.Hour)
		}
	})
}

// A camera that failed is not opened again while it is still being closed: its placeholder serves.
func TestCameraThatFailsAndIsStillClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		p := startAlternatives(t, e, camera("cam")...)
		p.Use()
		<-time.After(time.Second)
		hang := make(chan struct{})
		e.Of("cam")[0].Hang = hang
		e.Of("cam")[0].Post <- media.StageEvent{Err: errBroken}
		<-time.After(3 * time.Second)
		if n := len(e.Of("cam")); n != 1 || !p.Status().Placeholder {
			t.Errorf("opened %d times while it is being closed, a placeholder %v", n, p.Status().Placeholder)
		}
		close(hang)
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		if n := len(e.Of("cam")); n != 2 || p.Status().Placeholder {
			t.Errorf("opened %d times once it is closed, a placeholder %v", n, p.Status().Placeholder)
		}
	})
}

// A camera on another node does not wait until the old node is closed; nor does what opens nothing.
func TestOnlyTheSameSourceIsWaitedFor(t *testing.T) {
	now := time.Now()
	on := func(node string) Alternative {
		return Alternative{Graph: pipeline.Graph{pipeline.El("v4l2src", "device="+node), pipeline.El("appsink")}}
	}
	h := newHeld()
	first, second := h.begin(on("/dev/video0").source(), now), h.begin(on("/dev/video0").source(), now)
	placeholder, encoder := on("/dev/video0"), on("/dev/video0")
	placeholder.Placeholder, encoder.Up = true, &Producer{}
	h.begin(placeholder.source(), now)
	for _, c := range []struct {
		name string
		a    Alternative
		at   time.Time
		want time.Duration
	}{
		{"the same", on("/dev/video0"), now.Add(time.Second), closeWait - time.Second},
		{"the same, for too long", on("/dev/video0"), now.Add(closeWait), 0},
		{"another", on("/dev/video1"), now, 0},
		{"a placeholder", placeholder, now, 0},
		{"an encoder", encoder, now, 0},
		{"nothing", Alternative{}, now, 0},
	} {
		if got := h.wait(c.a.source(), c.at); got != c.want {
			t.Errorf("%s: waits %v, want %v", c.name, got, c.want)
		}
	}
	first()
	if h.wait(on("/dev/video0").source(), now) == 0 || len(h.freed) != 0 {
		t.Error("free although another stage still closes it")
	}
	second()
	if h.wait(on("/dev/video0").source(), now) != 0 || len(h.freed) != 1 {
		t.Error("still closing although both stages have closed it")
	}
}

// brieflyBusy is an error with a remedy, of which only the log wants to know.
type brieflyBusy struct{}

func (brieflyBusy) Error() string { return "busy; hint: close it" }
func (brieflyBusy) Brief() string { return "busy" }

// What was found out of a camera that failed is in the status, and the placeholder's picture says it, until the camera is back.
func TestReasonOfAPlaceholder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, found := range map[string]error{"busy": brieflyBusy{}, "broken": errBroken} {
			e := fake.NewEngine()
			list := camera("cam")
			list[1].Says = func(reason string) string { return "gone: " + reason }
			p, log := logged(t, e, Options{Explain: func(error) error { return found }}, list...)
			e.Refuses("cam", errors.New("it failed"))
			p.Use()
			<-time.After(time.Second)
			if s := p.Status(); !s.Placeholder || s.Reason != want {
				t.Errorf("placeholder %v, reason %q, want %q", s.Placeholder, s.Reason, want)
			}
			if told := e.Of("standin")[0].Told(); !slices.Equal(told, []string{"words text=gone: " + want}) {
				t.Errorf("the placeholder was told %q", told)
			}
			if n := strings.Count(log.String(), `msg="camera gone; showing a placeholder" producer=test error=`); n != 1 {
				t.Errorf("logged %d times:\n%s", n, log)
			}
			e.Refuses("cam", nil)
			<-time.After(3 * time.Second)
			if s := p.Status(); s.Placeholder || s.Reason != "" {
				t.Errorf("the camera is back, and the reason is %q", s.Reason)
			}
			p.log.reasons <- "late" // it was asked before the camera came
			synctest.Wait()
			if s := p.Status(); s.Reason != "" {
				t.Errorf("the camera is there, and the reason is %q", s.Reason)
			}
		}
	})
}

// Silence stands for a microphone that fails, and the log calls it that. Silence has its own caps.
func TestSilenceOfAMicrophone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		list := []Alternative{
			{ID: "microphone", Graph: pipeline.Graph{pipeline.El("mic")}},
			{ID: "silence", Graph: pipeline.Graph{pipeline.El("silence"), pipeline.Filter("raw")}, Placeholder: true},
		}
		p, log := logged(t, e, Options{Sound: true}, list...)
		p.fan.(*fake.Fan).HasCaps = "opus"
		p.Use()
		<-time.After(time.Second)
		e.Refuses("mic", errBroken)
		e.Of("mic")[0].Post <- media.StageEvent{Err: errBroken}
		<-time.After(time.Second)
		flows(t, p)
		if caps := e.Of("silence")[0].Graph[1].Caps; caps != "raw" {
			t.Errorf("silence has the caps %q", caps)
		}
		e.Refuses("mic", nil)
		<-time.After(3 * time.Second)
		for _, want := range []string{"microphone gone; sending silence", "microphone back"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
		if strings.Contains(log.String(), "camera") {
			t.Errorf("the log speaks of a camera:\n%s", log)
		}
	})
}

// A placeholder that another one follows, which says another reason, is no camera that is back. The camera that comes is.
func TestPlaceholderAfterPlaceholder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := fake.NewEngine()
		away := func(element string) []Alternative {
			return []Alternative{{ID: "placeholder", Graph: pipeline.Graph{pipeline.El(element)}, Placeholder: true}}
		}
		p, log := logged(t, e, Options{}, away("absent")...)
		p.Use()
		<-time.After(time.Second)
		if !p.Status().Placeholder {
			t.Error("a camera that is away is not said to be gone")
		}
		p.Adopt(away("forbidden"))
		<-time.After(time.Second)
		if len(e.Of("forbidden")) != 1 || !p.Status().Placeholder || strings.Contains(log.String(), "camera back") {
			t.Errorf("%+v\n%s", p.Status(), log)
		}
		p.Adopt(camera("cam"))
		<-time.After(time.Second)
		if p.Status().Placeholder || !strings.Contains(log.String(), "camera back") {
			t.Errorf("%+v\n%s", p.Status(), log)
		}
	})
}
