package live

import (
	"encoding/json"
	"sync/atomic"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// ViewerStatus is one viewer as numbers.
type ViewerStatus struct {
	ConnectionStatus
	IncomingStatus
	LinkStatus
	RenditionStatus
}

// ConnectionStatus is how far a viewer's connection has come.
type ConnectionStatus struct {
	ID             string         `json:"id"`
	State          string         `json:"state"` // a phase by its name
	Codec          pipeline.Codec `json:"codec,omitempty"`
	Since          time.Time      `json:"since"`                     // when the viewer joined
	ConnectSeconds float64        `json:"connect_seconds,omitempty"` // from joining to connected
	Detached       bool           `json:"signalling_lost,omitempty"`
}

// IncomingStatus is what a viewer sends.
type IncomingStatus struct {
	IncomingAudioDB *float64 `json:"incoming_audio_rms_db"`
	Incoming        []string `json:"incoming,omitempty"` // audio, video
	// Talk is what becomes of the viewer's voice; nil while it does not talk.
	Talk *TalkStatus `json:"talk,omitempty"`
}

// LinkStatus is what was sent to a viewer, and what its feedback tells of its link.
type LinkStatus struct {
	Sent        *media.PeerCount `json:"sent,omitempty"`
	EstimateBPS int              `json:"estimate_bps,omitempty"` // what the link is thought to carry
	Loss        float64          `json:"loss"`                   // share of the packets, lately
	RTTMS       int64            `json:"rtt_ms,omitempty"`
}

// RenditionStatus is which rendition a viewer is sent.
type RenditionStatus struct {
	Rendition     string `json:"rendition,omitempty"`      // "lower" where the link carries no more
	KeyframesOnly bool   `json:"keyframes_only,omitempty"` // the link carries no rendition
}

// viewerStatus is a viewer's status, with a copy that other goroutines may read.
type viewerStatus struct {
	now  ViewerStatus // the viewer's goroutine alone reads and writes it
	seen atomic.Pointer[ViewerStatus]
}

// status is a copy of the viewer's status. Any goroutine may call it.
func (v *Viewer) status() ViewerStatus { return *v.stat.seen.Load() }

// publish makes the copy anew.
func (s *viewerStatus) publish(p phase, detached bool) {
	out := s.now
	out.State, out.Detached = p.String(), detached
	s.seen.Store(&out)
}

// methods answer what a viewer asks over the data channel.
func (v *Viewer) methods() Methods {
	return Methods{
		"ping": func(json.RawMessage) (any, error) {
			return map[string]any{"pong": true, "time_ms": time.Now().UnixMilli()}, nil
		},
		"stats": func(json.RawMessage) (any, error) { return v.statsReply(), nil },
	}
}

// statsReply is the result of the method "stats".
type statsReply struct {
	IncomingAudioDB *float64   `json:"incoming_audio_rms_db"`
	Incoming        []string   `json:"incoming"`
	Video           videoStats `json:"video"`
}

type videoStats struct {
	Codec      pipeline.Codec `json:"codec"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	BitrateBPS int            `json:"bitrate_bps"`
	Frames     uint64         `json:"frames_sent"`
	Dropped    uint64         `json:"frames_dropped"`
}

func (v *Viewer) statsReply() statsReply {
	n, now := v.peer.Count(), v.stat.now
	f := v.b.plan().Format
	if a := v.adaptation; a != nil {
		if lower, ok := pipeline.ChoiceOf(v.b.plan().Lower, now.Codec); ok && a.isLower(a.feed.from) {
			f = lower.Format
		}
		f.Bitrate = int(a.feed.from.Bitrate())
	}
	return statsReply{
		now.IncomingAudioDB, append([]string{}, now.Incoming...),
		videoStats{now.Codec, f.Width, f.Height, f.Bitrate, n.VideoFrames, n.VideoDropped},
	}
}
