package device

import (
	"errors"
	"strings"
	"testing"
)

// step is a moment: what is plugged in, and what the request finds.
type step struct {
	cards []card
	want  string // the PCM, "away", or the source
	says  string // part of the reason
}

// soundTimelines are requests, with what is plugged in and out meanwhile.
var soundTimelines = []struct {
	name  string
	word  string
	steps []step
}{
	{
		"ALSA's default, whatever there is", "default",
		[]step{
			{nil, "default", "ALSA's name"},
			{[]card{{"1", "Cam", "1"}}, "default", "ALSA's name"},
			{nil, "default", "ALSA's name"},
		},
	},
	{
		"named, comes later", "HD Cam",
		[]step{
			{nil, "away", `"HD Cam" is not there: there is no `},
			{nil, "away", "is not there"},
			{[]card{{"2", "Cam", "1"}}, "hw:CARD=Cam,DEV=0", "asked for by name"},
		},
	},
	{
		"comes back under another number, and another identifier", "hw:CARD=Cam,DEV=0",
		[]step{
			{[]card{{"1", "Cam", "1"}}, "hw:CARD=Cam,DEV=0", "asked for by address"},
			{nil, "away", "HD Cam (hw:CARD=Cam,DEV=0) is away: it was unplugged"},
			{[]card{{"3", "Cam_1", "1"}}, "hw:CARD=Cam_1,DEV=0", "it is back"},
			{[]card{{"3", "Cam_1", "1"}}, "hw:CARD=Cam_1,DEV=0", "it is back"},
		},
	},
	{
		"its number is another card's meanwhile", "hw:1,0",
		[]step{
			{[]card{{"1", "Cam", "1"}, {"2", "Cam_1", "2"}}, "hw:CARD=Cam,DEV=0", "address"},
			{[]card{{"1", "Cam", "2"}}, "away", "unplugged"},
			{[]card{{"1", "Cam", "2"}, {"2", "Cam_1", "1"}}, "hw:CARD=Cam_1,DEV=0", "back"},
		},
	},
	{
		"its identifier is another card's meanwhile", "cam",
		[]step{
			{[]card{{"1", "Cam", "1#A"}}, "hw:CARD=Cam,DEV=0", "card"},
			{[]card{{"1", "Cam", "2#B"}}, "away", "unplugged"},
		},
	},
	{
		"by udev's name, at another connector", "usb-HD_CamA-02",
		[]step{
			{[]card{{"1", "Cam", "1#A"}, {"2", "Cam_1", "2#B"}}, "hw:CARD=Cam,DEV=0", "stable id"},
			{[]card{{"2", "Cam_1", "2#B"}}, "away", "is not there"},
			{[]card{{"1", "Cam", "3#A"}, {"2", "Cam_1", "2#B"}}, "hw:CARD=Cam,DEV=0", "back"},
		},
	},
	{
		"replaced by another of the name", "HD Cam",
		[]step{
			{[]card{{"1", "Cam", "1#A"}}, "hw:CARD=Cam,DEV=0", "name"},
			{nil, "away", "is away"},
			{[]card{{"1", "Cam", "2#B"}}, "hw:CARD=Cam,DEV=0", "name"},
		},
	},
	{
		"auto, none at first, and kept while it is away", "auto",
		[]step{
			{nil, "none", "found"},
			{[]card{{"1", "Cam", "1"}}, "hw:CARD=Cam,DEV=0", "only"},
			{[]card{{"2", "Other", "5#B"}, {"1", "Cam", "1"}}, "hw:CARD=Cam,DEV=0", "only"},
			{nil, "away", "unplugged"},
			{[]card{{"4", "Cam", "1"}}, "hw:CARD=Cam,DEV=0", "back"},
		},
	},
	{"off", "none", []step{{[]card{{"1", "Cam", "1"}}, "none", "asked for"}}},
}

func TestFindSound(t *testing.T) {
	for _, tt := range soundTimelines {
		for _, stream := range []Stream{Capture, Playback} {
			t.Run(tt.name+", "+string(stream), func(t *testing.T) {
				r, was := SoundRequest{Stream: stream, Want: tt.word}, SoundChoice{}
				for i, s := range tt.steps {
					l := List(t.Context(), Options{Root: soundRoot(s.cards...)})
					got, err := l.FindSound(r, Choice{Source: SourceDevice}, was)
					text := soundText(got)
					if got.Away {
						text = "away"
					}
					if err != nil || text != s.want || !strings.Contains(got.Reason, s.says) {
						t.Fatalf("step %d: got %s, %q, %v, want %s, %q", i, text, got.Reason, err, s.want, s.says)
					}
					if got.Source == SourceDevice && (got.Away || got.Sound.Stream != stream) {
						t.Fatalf("step %d: got %+v", i, got)
					}
					was = got
				}
			})
		}
	}
}

// While a device is away the caller learns what to tell the user, and opens nothing.
func TestFindSoundAway(t *testing.T) {
	got, err := Listing{}.FindSound(SoundRequest{Stream: Capture, Want: "C920"}, Choice{}, SoundChoice{})
	if err != nil || got.Source != SourceNone || got.Sound != (Sound{}) || !strings.HasPrefix(got.Hint, "plug it in, or ") {
		t.Errorf("got %+v, %v", got, err)
	}
	if text := got.String(); text != `no sound: "C920" is not there: there is no microphone` {
		t.Errorf("it reads %q", text)
	}
}

func TestFindSoundAmbiguous(t *testing.T) {
	l := List(t.Context(), Options{Root: soundRoot(card{"1", "Cam", "1"}, card{"2", "Cam_1", "2"})})
	if got, err := l.FindSound(SoundRequest{Stream: Capture, Want: "HD Cam"}, Choice{}, SoundChoice{}); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("got %v, %v, want %v", got, err, ErrAmbiguous)
	}
}
