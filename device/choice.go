package device

import (
	"fmt"
	"slices"
	"strings"
)

// Words that stand for something other than a device's own name.
const (
	wantAuto = "auto"
	wantTest = "test"
	wantNone = "none"
)

// Source says what kind of input or output was chosen.
type Source string

// The sources. For a speaker SourceTest and SourceNone both mean that no device plays.
const (
	SourceDevice Source = "device"
	SourceTest   Source = "test" // a test picture, a test tone
	SourceNone   Source = "none"
)

// Choice is what was chosen as the camera.
type Choice struct {
	Source Source
	Camera Camera // when Source is SourceDevice
	Reason string // why, as words that go on after "camera X: "
	Hint   string // what would give a better choice, may be empty
	// Away says that the user's camera is not there, or cannot be used, now: Source is SourceNone until Listing.FindCamera finds
	// it. Cause is why.
	Away  bool
	Cause error
}

// SoundChoice is what was chosen as the microphone or the speaker.
type SoundChoice struct {
	Source Source
	Sound  Sound  // when Source is SourceDevice
	Reason string // why, as words that go on after "microphone X: "
	Hint   string // what would give a better choice, may be empty
	// Away says that the user's device is not there now: Source is SourceNone until Listing.FindSound finds it. Cause is why, where
	// nothing fits the user's word.
	Away  bool
	Cause error

	last Sound // the device that is away, as it was seen last; the zero value if it never was
}

// noMatch is the error for a word that names no device. It lists the devices that there are.
func noMatch(kind, want string, have []string) error {
	e := &Error{
		What: "find " + kind + " " + quote(want), Kind: ErrNoMatch,
		Hint: "give a name, a stable id or a path; " + listHint,
	}
	if len(have) == 0 {
		e.Detail = "there is no " + kind
	} else {
		e.Detail = "there is " + strings.Join(have, ", ")
	}
	return e
}

// ambiguous is the error for a word that names several devices. It gives a name of each that names no other.
func ambiguous(kind, want string, which []string) error {
	return &Error{
		What: "find " + kind + " " + quote(want), Kind: ErrAmbiguous,
		Detail: strings.Join(which, ", "),
		Hint:   fmt.Sprintf("say which one: %q would do", lastWord(which[0])),
	}
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// lastWord is the path or PCM that a description ends in, in parentheses.
func lastWord(description string) string {
	i := strings.LastIndex(description, "(")
	return strings.TrimSuffix(description[i+1:], ")")
}

// containsFold tells whether text contains part, whatever the case.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// keep returns the elements for which ok holds, in a new slice.
func keep[T any](list []T, ok func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !ok(v) })
}

// words maps each element to its description.
func words[T any](list []T, describe func(T) string) []string {
	text := make([]string, 0, len(list))
	for _, v := range list {
		text = append(text, describe(v))
	}
	return text
}
