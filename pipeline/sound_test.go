package pipeline_test

import (
	"strings"
	"testing"

	"boardcast/pipeline"
)

// What comes in is decoded only where somebody hears or sees it, and a card is opened by the name that converts.
func TestIncomingGraphs(t *testing.T) {
	const drops = "fakesink name=in sync=false async=false"
	for _, c := range []struct {
		name             string
		sink             pipeline.AudioSink
		display          bool
		hear, speak, see string // the graph, or a part of it
	}{
		{"no speaker wanted", pipeline.AudioSink{None: true}, false, drops, "", drops},
		{"no speaker found: the level is measured", pipeline.AudioSink{}, false, "appsink name=out", "", drops},
		{"a card", pipeline.AudioSink{PCM: "hw:CARD=Box,DEV=0"}, false, "appsink name=out", "alsasink device=plughw:CARD=Box,DEV=0 ", drops},
		{"another name of ALSA's", pipeline.AudioSink{PCM: "default"}, false, "appsink name=out", "alsasink device=default ", drops},
		{"a display", pipeline.AudioSink{None: true}, true, drops, "", "! autovideosink "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := pipeline.Choose(t.Context(), pipeline.Request{Display: c.display}, pipeline.Given{NoVideo: true, Sink: c.sink})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range []struct{ name, got, want string }{
				{"hear", p.Hear.String(), c.hear}, {"speak", p.Speak.String(), c.speak}, {"see", p.See.String(), c.see},
			} {
				if !strings.Contains(g.got, g.want) || (g.want == "" || g.want == drops) && g.got != g.want {
					t.Errorf("%s: %q, want %q", g.name, g.got, g.want)
				}
			}
			if len(p.Speak) > 0 && !strings.Contains(p.Speak.String(), "name=speaker") {
				t.Errorf("the speaker has no name of its own: %s", p.Speak)
			}
			if p.Talkback == c.sink.None || p.Display != c.display {
				t.Errorf("talkback %v, display %v", p.Talkback, p.Display)
			}
		})
	}
}
