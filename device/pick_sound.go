package device

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// PickMicrophone chooses by the user's word:
//
//   - "auto" or "": the microphone on the chosen camera's own USB device, else the first on USB, else one on the board,
//     else any but the ports of a Jetson's audio engine, virtual ones last; where there is none, the test tone with a test picture and silence with a camera
//   - "test": the test tone; "none": no sound
//   - a name of ALSA's own configuration, such as "default" or "dmix:CARD=Codec", as it is
//   - Sound.PCM, also with plughw: and with numbers (hw:1,0); the card's identifier, whatever its case; udev's name of the
//     card in /dev/snd/by-id or /dev/snd/by-path, in full or its last part
//   - otherwise part of a name, whatever its case
//
// The error is an *Error of kind ErrNoMatch or ErrAmbiguous.
func PickMicrophone(microphones []Sound, want string, camera Choice) (SoundChoice, error) {
	if choice, ok := byWord(want, Capture); ok {
		return choice, nil
	}
	if !isAuto(want) {
		return pickSound("microphone", microphones, want)
	}
	microphones, none := routed("microphone", microphones)
	if len(microphones) == 0 {
		if camera.Source == SourceTest {
			return SoundChoice{Source: SourceTest, Reason: none}, nil
		}
		return SoundChoice{Source: SourceNone, Reason: none}, nil
	}
	if camera.Source == SourceDevice {
		i := slices.IndexFunc(microphones, func(s Sound) bool { return s.on(camera.Camera) })
		if i >= 0 {
			return SoundChoice{Source: SourceDevice, Sound: microphones[i], Reason: "the camera's own"}, nil
		}
	}
	return autoSound("microphone", microphones), nil
}

// PickSpeaker chooses by the same words. Auto prefers a speaker on USB, then one on the board, then one on HDMI,
// DisplayPort or S/PDIF, then a virtual one. Where there is none, and for "test" as for "none", nothing plays.
func PickSpeaker(speakers []Sound, want string) (SoundChoice, error) {
	if choice, ok := byWord(want, Playback); ok {
		return choice, nil
	}
	if !isAuto(want) {
		return pickSound("speaker", speakers, want)
	}
	speakers, none := routed("speaker", speakers)
	if len(speakers) == 0 {
		return SoundChoice{Source: SourceNone, Reason: none}, nil
	}
	return autoSound("speaker", speakers), nil
}

func isAuto(want string) bool {
	return want == "" || strings.EqualFold(want, wantAuto)
}

// byWord answers the words for which no device is looked up.
func byWord(want string, stream Stream) (SoundChoice, bool) {
	switch strings.ToLower(want) {
	case wantTest:
		return SoundChoice{Source: SourceTest, Reason: "asked for"}, true
	case wantNone:
		return SoundChoice{Source: SourceNone, Reason: "asked for"}, true
	}
	if isALSAName(want) {
		return SoundChoice{Source: SourceDevice, Sound: Sound{Name: "ALSA", PCM: want, Stream: stream}, Reason: "asked for by ALSA's name"}, true
	}
	return SoundChoice{}, false
}

// Ranks of sound devices for auto, lowest first.
const (
	rankUSB = iota
	rankBoard
	rankDigital
	rankVirtual
)

func (s Sound) rank() int {
	switch {
	case s.virtual():
		return rankVirtual
	case s.usb():
		return rankUSB
	case s.digital():
		return rankDigital
	}
	return rankBoard
}

// routed are the devices that auto may take, and the reason where there is none.
func routed(kind string, list []Sound) (left []Sound, none string) {
	left = keep(list, func(s Sound) bool { return !s.unrouted() })
	none = "no " + kind + " found"
	if len(list) > 0 {
		none += ", only ports of the board that may not be wired: name one to use it"
	}
	return left, none
}

// autoSound takes the first of the best rank. The list must not be empty.
func autoSound(kind string, list []Sound) SoundChoice {
	s := slices.MinFunc(list, func(a, b Sound) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Card, b.Card), cmp.Compare(a.Device, b.Device))
	})
	reason := "the only " + kind + " found"
	switch rank := s.rank(); {
	case rank == rankVirtual:
		reason = "a virtual one, since there is no real " + kind
	case len(list) == 1:
	case rank == rankUSB:
		reason = "the first " + kind + " on USB"
	case rank == rankDigital:
		reason = "a digital one (HDMI, DisplayPort or S/PDIF), since there is no other " + kind
	default:
		reason = "the first " + kind + " of the board"
	}
	return SoundChoice{Source: SourceDevice, Sound: s, Reason: reason}
}

// pickSound finds what the user named.
func pickSound(kind string, list []Sound, want string) (SoundChoice, error) {
	ways := []struct {
		reason string
		fits   func(Sound) bool
	}{
		{"asked for by address", func(s Sound) bool { return s.goesBy(want) }},
		{"asked for by card", func(s Sound) bool { return strings.EqualFold(s.ID, want) }},
		{"asked for by stable id", func(s Sound) bool { return isName(want, s.byID) || isName(want, s.byPath) }},
		{"asked for by name", func(s Sound) bool { return containsFold(s.Name, want) || containsFold(s.DeviceName, want) }},
	}
	for _, way := range ways {
		found := keep(list, way.fits)
		if len(found) == 0 {
			continue
		}
		// The devices of one card differ in what they are wired to; the first is the main one.
		for _, s := range found[1:] {
			if s.Card != found[0].Card {
				return SoundChoice{}, ambiguous(kind, want, words(found, Sound.describe))
			}
		}
		return SoundChoice{Source: SourceDevice, Sound: found[0], Reason: way.reason}, nil
	}
	return SoundChoice{}, noMatch(kind, want, words(list, Sound.describe))
}

// goesBy tells whether want is an ALSA address of this device: hw: or plughw:, by identifier or by numbers, the
// device left out meaning 0.
func (s Sound) goesBy(want string) bool {
	address, ok := strings.CutPrefix(want, "hw:")
	if !ok {
		address, ok = strings.CutPrefix(want, "plughw:")
	}
	if !ok {
		return false
	}
	forms := []string{
		fmt.Sprintf("CARD=%s,DEV=%d", s.ID, s.Device), fmt.Sprintf("%s,%d", s.ID, s.Device),
		fmt.Sprintf("CARD=%d,DEV=%d", s.Card, s.Device), fmt.Sprintf("%d,%d", s.Card, s.Device),
	}
	if s.Device == 0 {
		forms = append(forms, "CARD="+s.ID, s.ID, fmt.Sprintf("CARD=%d", s.Card), fmt.Sprintf("%d", s.Card))
	}
	return slices.Contains(forms, address)
}

// describe names a sound device unmistakably.
func (s Sound) describe() string {
	return s.Name + " (" + s.PCM + ")"
}
