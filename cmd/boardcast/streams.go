package main

import (
	"cmp"
	"context"
	"runtime"

	"boardcast/configs"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
	"boardcast/pipeline/live"
)

// stream is one camera of the program: its names, and the media that serve it.
type stream struct {
	name string // "" for the only one, where it was given none
	id   string // on our own signalling server
	*media
}

// newStreams makes a stream for each camera of the settings, in their order. None is ready yet.
func newStreams(ctx context.Context, cfg *configs.Config) []stream {
	var all []stream
	for _, c := range cfg.Cameras {
		s := stream{name: c.Name, id: c.Name, media: &media{ctx: ctx, ready: make(chan struct{})}}
		if s.name == "" {
			s.id = cmp.Or(cfg.Signalling.ID, defaultID)
		}
		all = append(all, s)
	}
	return all
}

// namesOf are the names of the cameras that have one.
func namesOf(all []stream) []string {
	var names []string
	for _, s := range all {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	return names
}

// idElsewhere is the camera's id on a server elsewhere. board is the id that the settings give this board, "" for none.
func (s stream) idElsewhere(board string) string {
	if s.name == "" || board == "" {
		return board
	}
	return board + "-" + s.name
}

// label puts the name before what is said of the camera.
func (s stream) label(text string) string {
	if s.name == "" {
		return text
	}
	return s.name + ": " + text
}

// about adds the name to what is logged of the camera.
func (s stream) about(attrs ...any) []any {
	if s.name == "" {
		return attrs
	}
	return append(attrs, "camera", s.name)
}

// statusReply is /api/status. With several cameras Media is the first one's.
type statusReply struct {
	Version    string           `json:"version"`
	Ready      bool             `json:"ready"`
	State      string           `json:"state"`            // of the first camera, as in cameraReply
	Reason     string           `json:"reason,omitempty"` // of the first camera
	Open       bool             `json:"open"`             // everybody may, without a key
	Goroutines int              `json:"goroutines"`
	Signalling signalling.Stats `json:"signalling"`
	Media      *live.Status     `json:"media,omitempty"`
	Cameras    []cameraReply    `json:"cameras,omitempty"` // those that have names
}

// cameraReply is one camera in /api/status.
type cameraReply struct {
	Name   string       `json:"name"`
	State  string       `json:"state"`            // "starting", "idle", "live", "lost" or "away"
	Reason string       `json:"reason,omitempty"` // why the camera gives no picture, or one of a lesser mode
	Media  *live.Status `json:"media,omitempty"`
}

func status(hub *signalling.Server, all []stream) statusReply {
	r := statusReply{Version: buildVersion(), Goroutines: runtime.NumGoroutine(), Signalling: hub.Stats(), Ready: true}
	for i, s := range all {
		one := s.reply()
		r.Ready = r.Ready && one.Media != nil
		if i == 0 {
			r.Media, r.State, r.Reason = one.Media, one.State, one.Reason
		}
		if s.name != "" {
			r.Cameras = append(r.Cameras, one)
		}
	}
	return r
}

// reply is how the camera does. Its Media are nil until it is ready.
func (s stream) reply() cameraReply {
	one := cameraReply{Name: s.name, State: "starting"}
	select {
	case <-s.ready:
		media := s.broadcast.Status()
		away, limited := s.said()
		one.State, one.Reason, one.Media = stateOf(media), cmp.Or(away, lostFor(media), limited), &media
		if away != "" {
			one.State = "away"
		}
	default:
	}
	return one
}

// microphoneProducer is the name of the producer of a camera's sound. Without sound a camera is not lost.
const microphoneProducer = "microphone"

// viewersCameras are the cameras as viewers are told of them.
func viewersCameras(all []stream) []web.Camera {
	var list []web.Camera
	for _, s := range all {
		one := s.reply()
		list = append(list, web.Camera{Name: one.Name, State: one.State, Reason: one.Reason})
	}
	return list
}

// stateOf is a camera's state in a word: "idle" when nobody watches, "live" when pictures are sent, "lost" when viewers
// watch and the camera gives none.
func stateOf(s live.Status) string {
	state := "idle"
	for _, l := range s.Producers {
		switch {
		case l.Users == 0, l.Name == microphoneProducer:
		case l.Placeholder, l.Waiting:
			return "lost"
		default:
			state = "live"
		}
	}
	return state
}

// lostFor is why a camera gives no picture to those who watch, where that is known.
func lostFor(s live.Status) string {
	for _, l := range s.Producers {
		if l.Users > 0 && l.Name != microphoneProducer && (l.Placeholder || l.Waiting) && l.Reason != "" {
			return l.Reason
		}
	}
	return ""
}

// together is the status of all cameras as one; a producer is named after its camera too.
func together(all []stream) live.Status {
	var sum live.Status
	for _, s := range all {
		one := s.broadcast.Status()
		for _, l := range one.Producers {
			l.Name = s.label(l.Name)
			sum.Producers = append(sum.Producers, l)
		}
		sum.Viewers = append(sum.Viewers, one.Viewers...)
		sum.Joined += one.Joined
	}
	return sum
}
