package main

import (
	"cmp"
	"fmt"
	"slices"

	"boardcast/configs"
	"boardcast/device"
	"boardcast/pipeline"
)

// lookAgain chooses again after a device was plugged in or out. A camera in use is found on whichever node it has now, and
// keeps its place while it is gone. A camera of the settings that has no device gets one if one is there now. A microphone and
// the speaker are found again too, under whichever number they have now; while a microphone is away, silence is sent. The
// result has what was learnt from the listing (a camera's twin, say) even where nothing changes. Where a camera or a sound
// device has changed, why says so: only these need a new plan.
func lookAgain(list device.Listing, before []sources) []sources {
	next := slices.Clone(before)
	for i := range next {
		next[i].findCamera(list)
	}
	for i := range next {
		next[i].giveWay(next)
	}
	for i := range next {
		next[i].takeCamera(list, next)
	}
	for i := range next {
		next[i].takeSound(list, next)
		next[i].why = next[i].changes(before[i])
	}
	return next
}

// changes says what of the devices is another than before, so that a new plan is needed.
func (s *sources) changes(before sources) []string {
	now, was := s.camera, before.camera
	var why []string
	if now.Camera.Path != was.Camera.Path || now.Away && briefly(now) != briefly(was) || s.reduced != before.reduced {
		why = append(why, "camera: "+now.String())
	}
	if s.audio != before.audio {
		why = append(why, "microphone: "+s.microphone.String())
	}
	if s.sink != before.sink {
		why = append(why, "speaker: "+s.speaker.String())
	}
	return why
}

// findCamera finds a camera in use again, on whichever node it has now.
func (s *sources) findCamera(list device.Listing) {
	if s.camera.Source != device.SourceDevice {
		return
	}
	found, there := list.SameCamera(s.camera.Camera)
	if there {
		s.camera.Camera = found
	}
	if there && s.unplugged && s.reduced != nil { // there may be room for a better mode now
		s.reduced = nil
	}
	s.unplugged = !there
}

// takeCamera takes a camera that has come, where there was none.
func (s *sources) takeCamera(list device.Listing, all []sources) {
	if s.camera.Source == device.SourceDevice || s.connector.found {
		return
	}
	if s.request.Camera == configs.Auto {
		list = list.Beside(inUse(all))
	}
	choice, err := list.FindCamera(s.request.Camera, true)
	if err != nil {
		choice = device.Choice{Source: device.SourceNone, Away: true, Cause: err, Reason: err.Error(), Hint: cmp.Or(hints(err)...)}
	}
	if j := slices.IndexFunc(all, func(o sources) bool { return o.has(choice) }); j >= 0 {
		choice = device.Choice{
			Source: device.SourceNone, Away: true,
			Reason: fmt.Sprintf("camera %s has %s already", all[j].request.Name, choice.Camera.Path),
		}
	}
	s.camera = choice
}

// takeSound finds the microphone and the speaker again, or takes those that have come.
func (s *sources) takeSound(list device.Listing, all []sources) {
	others := list
	others.Microphones = untaken(list.Microphones, slices.DeleteFunc(slices.Clone(all), func(o sources) bool { return o.hears(s.microphone) }))
	m, err := others.FindSound(device.SoundRequest{Stream: device.Capture, Want: s.request.Microphone}, s.camera, s.microphone)
	if err == nil {
		s.microphone = m
	}
	if speaker, err := list.FindSound(s.speakerRequest(), device.Choice{}, s.speaker); err == nil {
		s.speaker = speaker
	}
	was := s.audio.PCM
	s.setAudio()
	taken := slices.ContainsFunc(list.Microphones, func(m device.Sound) bool { return m.PCM == was })
	if s.microphone.Away && was != "" && !taken { // silence stands for it already, and it is tried again when something is plugged in
		s.audio = pipeline.AudioSource{PCM: was}
	}
}

// speakerRequest is the speaker of the settings.
func (s *sources) speakerRequest() device.SoundRequest {
	return device.SoundRequest{Stream: device.Playback, Want: s.wantedSpeaker}
}

// giveWay takes a camera that is gone off its node when another camera has that node now, because two cameras would open the
// same node otherwise. Until the camera is back, its path names no node at all.
func (s *sources) giveWay(all []sources) {
	c := &s.camera.Camera
	if s.camera.Source != device.SourceDevice || !s.unplugged {
		return
	}
	taken := slices.ContainsFunc(all, func(o sources) bool {
		return !o.unplugged && o.camera.Source == device.SourceDevice && o.camera.Camera.Path == c.Path
	})
	if taken {
		c.Path += ".gone"
	}
}

// away is why the camera of the settings gives no picture, with what would help; empty where it is there, or is not asked for.
func (s *sources) away() (reason, hint string) {
	switch {
	case s.camera.Away:
		return s.camera.Reason, s.camera.Hint
	case s.unplugged:
		return s.camera.Camera.Name + " was unplugged", ""
	case s.camera.Source == device.SourceTest && s.request.Camera != configs.Test && !s.connector.found:
		return s.camera.Reason, s.camera.Hint
	}
	return "", ""
}

// limited is why the camera does not run in the mode that suits best; empty where it does.
func (s *sources) limited() string {
	if s.reduced == nil {
		return ""
	}
	return s.reduced.why + "; it runs with " + s.reduced.mode.String()
}

// seeksConnector tells that a camera on the board's own connector would be taken, and none was found.
func (s *sources) seeksConnector() bool {
	return s.connector.sought && !s.connector.found && s.camera.Source == device.SourceTest
}
