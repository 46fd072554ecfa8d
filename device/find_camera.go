package device

import (
	"errors"
	"regexp"
	"slices"
)

// FindCamera is PickCamera for a program that waits for its camera. A camera that the user named and that is not there, or cannot
// be used now, is no error: the choice has Away set, and Reason, Hint and Cause say why. A later listing may have the camera.
//
// The error is an *Error that no waiting mends: the word names several cameras, or a node that is never a camera. With expected
// false a word that names nothing is an error too, because it may be misspelt; see IsAddress.
func (l Listing) FindCamera(want string, expected bool) (Choice, error) {
	choice, err := l.PickCamera(want)
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return choice, err
	case errors.Is(err, ErrNoMatch):
		if !expected {
			return choice, err
		}
		return Choice{
			Source: SourceNone, Away: true, Cause: err,
			Reason: quote(want) + " is not there: " + e.Detail, Hint: "plug it in, or " + e.Hint,
		}, nil
	case e.passes():
		return Choice{Source: SourceNone, Away: true, Cause: err, Reason: e.Error(), Hint: e.Hint}, nil
	}
	return choice, err
}

// passing are the kinds of failure that may be over later.
var passing = []error{ErrForbidden, ErrBusy, ErrSilent, ErrGone}

// passes tells a failure that may be over later. A node that is there and could not be asked is one too: its driver may still be
// starting.
func (e *Error) passes() bool {
	if errors.Is(e, ErrNotUsable) {
		return e.Err != nil
	}
	return slices.ContainsFunc(passing, func(kind error) bool { return errors.Is(e, kind) })
}

// addresses are words that name one device: a path, udev's name or its last part, the bus that a driver names, ALSA's address.
var addresses = regexp.MustCompile(`^(/dev/|(plug)?hw:|(usb|pci|platform)[-:])|-video-index\d+$`)

// IsAddress tells a word that names one device by where it is or by its serial number. Such a word says which device is meant
// while the device is not there. Any other word is part of a name, and one that names nothing may be misspelt.
func IsAddress(want string) bool { return addresses.MatchString(want) }
