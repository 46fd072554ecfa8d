package device

import (
	"errors"
	"strings"
)

// SoundRequest is the microphone or the speaker that the user asked for. It stands while the device is away.
type SoundRequest struct {
	Stream Stream
	Want   string // as for PickMicrophone and PickSpeaker
}

// FindSound is the device that serves a request now, whichever number its card has. At the start, was is the zero value. For
// each later listing, was is what FindSound returned before.
//
// A device that it returned before is found again as by SameSound. If the device is missing, the result has Away set, and
// Reason and Hint say why. The caller then goes on without sound, until a later listing has the device. Auto keeps to the
// device that it chose, also while that device is away. It chooses anew if the argument was is zero. camera is as for
// PickMicrophone; for a speaker it may be the zero value.
//
// The error is an *Error of kind ErrAmbiguous: the word names several, and only the user can tell which.
func (l Listing) FindSound(r SoundRequest, camera Choice, was SoundChoice) (SoundChoice, error) {
	if choice, ok := byWord(r.Want, r.Stream); ok {
		return choice, nil
	}
	last, seen := was.device()
	if seen {
		if is, ok := l.SameSound(last); ok {
			return SoundChoice{Source: SourceDevice, Sound: is, Reason: was.foundReason()}, nil
		}
		if isAuto(r.Want) || isAddress(r.Want, last) {
			return away("it was unplugged", last), nil
		}
	}
	choice, err := l.pickSound(r, camera)
	var e *Error
	if errors.Is(err, ErrNoMatch) && errors.As(err, &e) {
		choice = away(quote(r.Want)+" is not there: "+e.Detail, last)
		choice.Hint, choice.Cause = "plug it in, or "+e.Hint, err
		return choice, nil
	}
	return choice, err
}

// pickSound chooses as for the first time.
func (l Listing) pickSound(r SoundRequest, camera Choice) (SoundChoice, error) {
	if r.Stream == Playback {
		return PickSpeaker(l.Speakers, r.Want)
	}
	return PickMicrophone(l.Microphones, r.Want, camera)
}

// device is the device that was chosen, or that is away.
func (c SoundChoice) device() (Sound, bool) {
	switch {
	case c.Source == SourceDevice:
		return c.Sound, true
	case c.Away && c.last != (Sound{}):
		return c.last, true
	}
	return Sound{}, false
}

// foundReason is why a device is chosen that was chosen before.
func (c SoundChoice) foundReason() string {
	if c.Away {
		return "it is back"
	}
	return c.Reason
}

// away is the choice while a device is not there.
func away(why string, last Sound) SoundChoice {
	if last != (Sound{}) {
		why = last.describe() + " is away: " + why
	}
	return SoundChoice{Source: SourceNone, Away: true, Reason: why, last: last}
}

// isAddress tells a word that another card may answer to once the device is unplugged: ALSA's addresses, and the card's
// identifier.
func isAddress(want string, s Sound) bool {
	return strings.HasPrefix(want, "hw:") || strings.HasPrefix(want, "plughw:") || strings.EqualFold(want, s.ID)
}
