package device

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Texts as the kernel prints them (sound/core/init.c, sound/core/pcm.c).
var cardsCases = []struct {
	name string
	text string
	want []soundCard
}{
	{
		"two cards", cardsText,
		[]soundCard{
			{number: 0, id: "Loopback", driver: "Loopback", name: "Loopback", longName: "Loopback 1"},
			{number: 1, id: "Cam", driver: "USB-Audio", name: "HD Cam", longName: "046d HD Cam at usb-0000:00:14.0-2, high speed"},
		},
	},
	{
		"two digits, dashes and brackets in names",
		"10 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0 [left - right]\n                      vc4-hdmi-0\n",
		[]soundCard{{number: 10, id: "vc4hdmi0", driver: "vc4-hdmi", name: "vc4-hdmi-0 [left - right]", longName: "vc4-hdmi-0"}},
	},
	{
		"no names", " 0 [Dummy          ]:  - \n                      \n",
		[]soundCard{{number: 0, id: "Dummy"}},
	},
	{
		"escape sequence in a device's name", " 0 [Cam            ]: USB-Audio - \x1b[2JCam\n",
		[]soundCard{{number: 0, id: "Cam", driver: "USB-Audio", name: "[2JCam"}},
	},
	{"no cards", "--- no soundcards ---\n", nil},
	{"number too large", "999 [A              ]: B - C\n", nil},
	{"no identifier", " 0 [               ]: B - C\n", nil},
	{"cut short", " 0 [Loopback       ", nil},
	{"empty", "", nil},
}

func TestParseCards(t *testing.T) {
	for _, tt := range cardsCases {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parseCards(tt.text), cmp.AllowUnexported(soundCard{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

var pcmCases = []struct {
	name string
	text string
	want []soundDevice
}{
	{
		"both directions", pcmText,
		[]soundDevice{
			{card: 0, device: 0, id: "Loopback PCM", name: "Loopback PCM", playback: true, capture: true},
			{card: 1, device: 0, id: "USB Audio", name: "USB Audio", capture: true},
		},
	},
	{"playback", "00-03: HDMI 0 : HDMI 0 : playback 1\n", []soundDevice{{device: 3, id: "HDMI 0", name: "HDMI 0", playback: true}}},
	{
		"colons in names", "00-00: a: b : c : d : capture 1\n",
		[]soundDevice{{id: "a: b", name: "c : d", capture: true}},
	},
	{
		"a name that looks like a direction", "00-00: x : my : capture 1 : playback 1\n",
		[]soundDevice{{id: "x", name: "my", playback: true, capture: true}},
	},
	{"no name", "02-01: x :  : capture 1\n", []soundDevice{{card: 2, device: 1, id: "x", capture: true}}},
	{"no name, and one blank", "02-01: x y : : capture 1\n", []soundDevice{{card: 2, device: 1, id: "x y", capture: true}}},
	{"three digits", "100-00: x : y : capture 1\n", []soundDevice{{card: 100, id: "x", name: "y", capture: true}}},
	{"number too large", "999-00: x : y : capture 1\n", nil},
	{"no direction", "00-00: x : y\n", nil},
	{"not a line of it", "hello\n", nil},
	{"empty", "", nil},
}

func TestParsePCMs(t *testing.T) {
	for _, tt := range pcmCases {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parsePCMs(tt.text), cmp.AllowUnexported(soundDevice{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzSounds(f *testing.F) {
	for _, c := range cardsCases {
		for _, p := range pcmCases {
			f.Add(c.text, p.text)
		}
	}
	f.Fuzz(func(t *testing.T, cards, pcms string) {
		root := fstest.MapFS{"proc/asound/cards": text(cards), "proc/asound/pcm": text(pcms)}
		microphones, speakers := sounds(root)
		if microphones == nil || speakers == nil {
			t.Error("a list is nil")
		}
		for _, s := range append(microphones, speakers...) {
			if s.ID == "" || s.Card < 0 || s.Card >= maxSound || s.Device < 0 || s.Device >= maxSound {
				t.Errorf("out of bounds: %+v", s)
			}
			for _, word := range []string{s.ID, s.Name, s.Driver, s.DeviceName, s.Bus} {
				if word != clean(word) || strings.ContainsAny(word, "\n\x1b") {
					t.Errorf("not printable: %q", word)
				}
			}
			if !s.goesBy(s.PCM) {
				t.Errorf("%q does not name its own device", s.PCM)
			}
		}
	})
}

func TestSoundsJoinsAndTells(t *testing.T) {
	root := fstest.MapFS{
		"proc/asound/cards": text(" 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n" +
			" 1 [Dummy          ]: Dummy - Dummy\n"),
		"proc/asound/pcm": text("00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1\n" +
			"00-03: HDMI 0 : HDMI 0 : playback 1\n01-00: Dummy PCM : Dummy PCM : playback 8 : capture 8\n" +
			"02-00: gone : gone : capture 1\n"),
	}
	microphones, speakers := sounds(root)
	tell := func(list []Sound) (text []string) {
		for _, s := range list {
			word := s.PCM + " " + string(s.Stream)
			if s.virtual() {
				word += " virtual"
			}
			if s.digital() {
				word += " digital"
			}
			text = append(text, word)
		}
		return text
	}
	if diff := cmp.Diff([]string{"hw:CARD=PCH,DEV=0 capture", "hw:CARD=Dummy,DEV=0 capture virtual"}, tell(microphones)); diff != "" {
		t.Errorf("microphones (-want +got):\n%s", diff)
	}
	want := []string{"hw:CARD=PCH,DEV=0 playback", "hw:CARD=PCH,DEV=3 playback digital", "hw:CARD=Dummy,DEV=0 playback virtual"}
	if diff := cmp.Diff(want, tell(speakers)); diff != "" {
		t.Errorf("speakers (-want +got):\n%s", diff)
	}
}

// What sounds through a monitor or an amplifier, as drivers call it, and what only looks like it.
func TestDigital(t *testing.T) {
	tests := []struct {
		words string // of the card, and after a bar of the device
		want  bool
	}{
		{"vc4-hdmi-0|MAI PCM i2s-hifi-0", true},
		{"rockchip-dp0|", true},
		{"rockchip-es8388|dailink-multicodecs ES8323.6-0010-0", false},
		{"SPDIF-Transciever|", true},
		{"rk-sound|dit-hifi", true},
		{"bcm2835 ALSA|bcm2835 IEC958/HDMI", true},
		{"bcm2835 ALSA|bcm2835 ALSA", false},
		{"HDA Intel PCH|ALC892 Digital", true},
		{"HDA Intel PCH|ALC892 Analog", false},
		{"sof-hda-dsp|Digital Mic", false},
		{"HDA Intel|S/PDIF 0", true},
		{"imx-xcvr|", true},
		{"mt8195|DPTX Playback", true},
		{"qcom|DISPLAY_PORT_RX", true},
		{"HDA ATI|DisplayPort 3", true},
		{"dphone headset|", false},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			card, device, _ := strings.Cut(tt.words, "|")
			if got := (Sound{Name: card, DeviceName: device}).digital(); got != tt.want {
				t.Errorf("digital = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSoundOnCamera(t *testing.T) {
	tests := []struct {
		name   string
		sound  Sound
		camera Camera
		want   bool
	}{
		{"same device", Sound{USBPath: "1-2"}, Camera{USBPath: "1-2"}, true},
		{"another port", Sound{USBPath: "1-3"}, Camera{USBPath: "1-2"}, false},
		{"sysfs decides over the bus", Sound{USBPath: "1-3", Bus: "usb-x-2"}, Camera{USBPath: "1-2", Bus: "usb-x-2"}, false},
		{"no sysfs, same bus", Sound{Bus: "usb-x-2"}, Camera{Bus: "usb-x-2"}, true},
		{"no sysfs, longer bus", Sound{Bus: "usb-x-2.1"}, Camera{Bus: "usb-x-2"}, false},
		{"nothing known of either", Sound{}, Camera{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.sound.on(tt.camera); got != tt.want {
				t.Errorf("on = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPCMNode(t *testing.T) {
	in, out := Sound{Card: 1, Device: 2, Stream: Capture}, Sound{Card: 0, Device: 3, Stream: Playback}
	got := []string{in.node(), out.node()}
	if diff := cmp.Diff([]string{"/dev/snd/pcmC1D2c", "/dev/snd/pcmC0D3p"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
