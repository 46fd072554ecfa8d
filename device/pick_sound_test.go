package device

import (
	"errors"
	"slices"
	"testing"
)

// soundDevices is one device of each kind.
func soundDevices() []Sound {
	return []Sound{
		{Card: 0, ID: "Loopback", Name: "Loopback", Driver: "Loopback", DeviceName: "Loopback PCM", PCM: "hw:CARD=Loopback,DEV=0"},
		{Card: 0, ID: "Loopback", Name: "Loopback", Driver: "Loopback", Device: 1, DeviceName: "Loopback PCM", PCM: "hw:CARD=Loopback,DEV=1"},
		{Card: 1, ID: "vc4hdmi", Name: "vc4-hdmi", Driver: "vc4-hdmi", DeviceName: "MAI PCM", PCM: "hw:CARD=vc4hdmi,DEV=0"},
		{Card: 2, ID: "PCH", Name: "HDA Intel PCH", Driver: "HDA-Intel", DeviceName: "ALC257 Analog", PCM: "hw:CARD=PCH,DEV=0"},
		{Card: 3, ID: "Headset", Name: "Acme Headset", Driver: "USB-Audio", USBID: "1:2", USBPath: "1-9", PCM: "hw:CARD=Headset,DEV=0"},
		{Card: 4, ID: "Cam", Name: "HD Cam", Driver: "USB-Audio", USBID: "046d:082d", USBPath: "1-2", PCM: "hw:CARD=Cam,DEV=0"},
		{Card: 5, ID: "Cam_1", Name: "HD Cam", Driver: "USB-Audio", USBID: "046d:082d", USBPath: "1-3", PCM: "hw:CARD=Cam_1,DEV=0"},
	}
}

// without drops the named cards.
func without(cards ...string) []Sound {
	return keep(soundDevices(), func(s Sound) bool { return !slices.Contains(cards, s.ID) })
}

func TestPickMicrophone(t *testing.T) {
	onUSB := Choice{Source: SourceDevice, Camera: Camera{USBPath: "1-2"}}
	tests := []struct {
		name   string
		mics   []Sound
		want   string
		camera Choice
		pcm    string // or the source where there is none
		reason string
	}{
		{"the camera's own", soundDevices(), "auto", onUSB, "hw:CARD=Cam,DEV=0", "the camera's own"},
		{"the camera has none", without("Cam"), "auto", onUSB, "hw:CARD=Headset,DEV=0", "the first microphone on USB"},
		{"test picture", soundDevices(), "auto", Choice{Source: SourceTest}, "hw:CARD=Headset,DEV=0", "the first microphone on USB"},
		{"no USB", without("Cam", "Cam_1", "Headset"), "", onUSB, "hw:CARD=PCH,DEV=0", "the first microphone of the board"},
		{"only virtual", without("Cam", "Cam_1", "Headset", "PCH", "vc4hdmi"), "auto", onUSB, "hw:CARD=Loopback,DEV=0", "a virtual one, since there is no real microphone"},
		{"USB known by the driver's name alone", append(soundDevices()[3:4:4], Sound{Card: 9, Driver: "USB-Audio", PCM: "x"}), "auto", onUSB, "x", "the first microphone on USB"},
		{"only one", soundDevices()[3:4], "auto", onUSB, "hw:CARD=PCH,DEV=0", "the only microphone found"},
		{"none, with a camera", nil, "auto", onUSB, "none", "no microphone found"},
		{"none, with the test picture", nil, "auto", Choice{Source: SourceTest}, "test", "no microphone found"},
		{"test", soundDevices(), "TEST", onUSB, "test", "asked for"},
		{"off", soundDevices(), "none", onUSB, "none", "asked for"},
		{"PCM", soundDevices(), "hw:CARD=Loopback,DEV=1", onUSB, "hw:CARD=Loopback,DEV=1", "asked for by address"},
		{"plughw", soundDevices(), "plughw:CARD=PCH,DEV=0", onUSB, "hw:CARD=PCH,DEV=0", "asked for by address"},
		{"short form", soundDevices(), "hw:Loopback,1", onUSB, "hw:CARD=Loopback,DEV=1", "asked for by address"},
		{"numbers", soundDevices(), "hw:0,1", onUSB, "hw:CARD=Loopback,DEV=1", "asked for by address"},
		{"card's number", soundDevices(), "hw:3", onUSB, "hw:CARD=Headset,DEV=0", "asked for by address"},
		{"identifier, though others' names begin with it", soundDevices(), "cam", onUSB, "hw:CARD=Cam,DEV=0", "asked for by card"},
		{"identifier of a card with several devices", soundDevices(), "Loopback", onUSB, "hw:CARD=Loopback,DEV=0", "asked for by card"},
		{"name", soundDevices(), "acme", onUSB, "hw:CARD=Headset,DEV=0", "asked for by name"},
		{"ALSA's default", soundDevices(), "default", onUSB, "default", "asked for by ALSA's name"},
		{"ALSA's default, without a card", nil, "default", onUSB, "default", "asked for by ALSA's name"},
		{"ALSA's mixer", soundDevices(), "dmix:CARD=PCH,DEV=0", onUSB, "dmix:CARD=PCH,DEV=0", "asked for by ALSA's name"},
		{"device's name", soundDevices(), "alc257", onUSB, "hw:CARD=PCH,DEV=0", "asked for by name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := PickMicrophone(tt.mics, tt.want, tt.camera)
			if err != nil {
				t.Fatal(err)
			}
			pcm := got.Sound.PCM
			if got.Source != SourceDevice {
				pcm = string(got.Source)
			}
			if pcm != tt.pcm || got.Reason != tt.reason {
				t.Errorf("got %s, %q, want %s, %q", pcm, got.Reason, tt.pcm, tt.reason)
			}
		})
	}
}

func TestPickSpeaker(t *testing.T) {
	tests := []struct {
		name     string
		speakers []Sound
		want     string
		pcm      string
	}{
		{"USB first", soundDevices(), "auto", "hw:CARD=Headset,DEV=0"},
		{"the board's before a monitor's", without("Cam", "Cam_1", "Headset"), "auto", "hw:CARD=PCH,DEV=0"},
		{"a monitor's before a virtual one", without("Cam", "Cam_1", "Headset", "PCH"), "auto", "hw:CARD=vc4hdmi,DEV=0"},
		{"virtual", without("Cam", "Cam_1", "Headset", "PCH", "vc4hdmi"), "auto", "hw:CARD=Loopback,DEV=0"},
		{"none found", nil, "auto", "none"},
		{"none", soundDevices(), "none", "none"},
		{"test", soundDevices(), "test", "test"},
		{"name", soundDevices(), "intel", "hw:CARD=PCH,DEV=0"},
		{"ALSA's mixer, on a card that is away", nil, "dmix:CARD=PCH,DEV=0", "dmix:CARD=PCH,DEV=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := PickSpeaker(tt.speakers, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			pcm := got.Sound.PCM
			if got.Source != SourceDevice {
				pcm = string(got.Source)
			}
			if pcm != tt.pcm || got.Reason == "" {
				t.Errorf("got %s, %q, want %s", pcm, got.Reason, tt.pcm)
			}
		})
	}
}

func TestPickSoundErrors(t *testing.T) {
	tests := []struct {
		name string
		mics []Sound
		want string
		kind error
		text string
	}{
		{
			"two cards of one name", soundDevices(), "hd cam", ErrAmbiguous,
			`find microphone "hd cam": several match: HD Cam (hw:CARD=Cam,DEV=0), HD Cam (hw:CARD=Cam_1,DEV=0)`,
		},
		{"no such name", soundDevices()[3:4], "blue", ErrNoMatch, `find microphone "blue": no match: there is HDA Intel PCH (hw:CARD=PCH,DEV=0)`},
		{"no such device", soundDevices()[3:4], "hw:PCH,7", ErrNoMatch, `find microphone "hw:PCH,7": no match: there is HDA Intel PCH (hw:CARD=PCH,DEV=0)`},
		{"none at all", nil, "blue", ErrNoMatch, `find microphone "blue": no match: there is no microphone`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := PickMicrophone(tt.mics, tt.want, Choice{})
			if !errors.Is(err, tt.kind) || err.Error() != tt.text {
				t.Errorf("err = %v, want %s", err, tt.text)
			}
		})
	}
}
