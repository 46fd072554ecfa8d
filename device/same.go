package device

import "slices"

// SameCamera finds a camera of an earlier listing again, whichever node it is on now: by its serial number wherever it
// is plugged in, else by its connector, else by what the driver says of it. Another camera in its place is
// not taken for it. Two cameras of one model that udev can't tell apart are each found only at their own connectors. That
// there were two is noted in the Camera that SameCamera returns, so pass that one to the next call.
func (l Listing) SameCamera(was Camera) (Camera, bool) {
	return firstThat(l.Cameras, was, sameCameraRules)
}

// SameSound finds a microphone or speaker again, whatever number its card has now: by its serial number wherever it is
// plugged in, else by its connector, else by the card's identifier. The identifiers of two cards of one model only say
// which was plugged in first. So without serial numbers such cards are found only at their connectors. Here too, pass the
// Sound that SameSound returns to the next call.
func (l Listing) SameSound(was Sound) (Sound, bool) {
	list := l.Microphones
	if was.Stream == Playback {
		list = l.Speakers
	}
	return firstThat(list, was, sameSoundRules)
}

// firstThat tries the rules in order. It returns the first device in the list that matches a rule, and ignores later
// rules after a match.
func firstThat[T any](list []T, was T, rules []func(was, is T) bool) (T, bool) {
	for _, rule := range rules {
		if i := slices.IndexFunc(list, func(is T) bool { return rule(was, is) }); i >= 0 {
			return list[i], true
		}
	}
	var none T
	return none, false
}

// sameCameraRules stand in the order of what they prove.
var sameCameraRules = []func(was, is Camera) bool{
	func(was, is Camera) bool { return was.ByID != "" && was.ByID == is.ByID && !was.twin && !is.twin },
	func(was, is Camera) bool { return was.ByPath != "" && was.ByPath == is.ByPath && was.like(is) },
	func(was, is Camera) bool {
		// Udev's names come after the node: either may have been listed without.
		return (was.ByPath == "" || is.ByPath == "") && was.Bus != "" && was.Bus == is.Bus && was.index == is.index && was.like(is)
	},
}

// like tells whether two may be one camera, by its model and where both are known by its serial number.
func (c Camera) like(d Camera) bool {
	return c.Name == d.Name && c.Driver == d.Driver && (c.ByID == "" || d.ByID == "" || c.ByID == d.ByID)
}

// markTwins marks the cameras whose by-id link another camera of the model may get. Udev makes the link's name from the
// serial number. Cameras of one model without serial numbers, or all with the same one, share one link: when the camera
// that has the link is unplugged, another one gets it. Such cameras are known while two are plugged in: one has the by-id
// link, the other has a by-path link only.
func markTwins(cameras []Camera) {
	for i := range cameras {
		c := &cameras[i]
		c.twin = slices.ContainsFunc(cameras, func(d Camera) bool {
			return c.Name == d.Name && c.USBPath != d.USBPath &&
				(c.ByID != "" && d.ByID == "" && d.ByPath != "" || d.ByID != "" && c.ByID == "" && c.ByPath != "")
		})
	}
}

// sameSoundRules stand in the order of what they prove.
var sameSoundRules = []func(was, is Sound) bool{
	func(was, is Sound) bool {
		return was.byID != "" && was.byID == is.byID && !was.shared && !is.shared && was.like(is)
	},
	func(was, is Sound) bool { return was.USBPath != "" && was.USBPath == is.USBPath && was.like(is) },
	func(was, is Sound) bool {
		// The connector by udev's name, or by the driver's word, where sysfs doesn't say it.
		unsaid := was.USBPath == "" || is.USBPath == ""
		return unsaid && (was.byPath != "" && was.byPath == is.byPath || was.Bus != "" && was.Bus == is.Bus) && was.like(is)
	},
	func(was, is Sound) bool { return was.ID == is.ID && !was.twin && !is.twin && was.like(is) },
}

// like tells whether two may be one device, by the model and where both are known by the serial number.
func (s Sound) like(t Sound) bool {
	return s.model(t) && (s.byID == "" || t.byID == "" || s.byID == t.byID)
}

// model tells whether two are the same device of cards of one model.
func (s Sound) model(t Sound) bool {
	return s.Name == t.Name && s.Driver == t.Driver && s.USBID == t.USBID && s.Device == t.Device && s.Stream == t.Stream
}

// markSoundTwins marks each device that is plugged in beside another one of its model, at another connector. Such devices
// without a serial number share one by-id link, as cameras do: see markTwins.
func markSoundTwins(list []Sound) {
	for i := range list {
		s := &list[i]
		beside := keep(list, func(t Sound) bool { return s.USBPath != t.USBPath && s.model(t) })
		s.twin = len(beside) > 0
		s.shared = slices.ContainsFunc(beside, func(t Sound) bool { return s.byID == "" || t.byID == "" || s.byID == t.byID })
	}
}
