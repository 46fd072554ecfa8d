package pipeline

// Outcome is what became of an encoder.
type Outcome string

// The outcomes.
const (
	OutcomeChosen  Outcome = "chosen"  // the encoder works, and is the first of its codec that does
	OutcomeUsable  Outcome = "usable"  // the encoder works, and another one was chosen
	OutcomeFailed  Outcome = "failed"  // the encoder was tried and does not work
	OutcomeSkipped Outcome = "skipped" // the encoder was not tried
	OutcomeMissing Outcome = "missing" // the encoder's element is not installed
)

// Verdict is what is known of an encoder, or of a source, on this machine, and how it has to be used there.
type Verdict struct {
	Outcome         Outcome `json:"outcome"`
	Reason          string  `json:"reason"`
	FramesPerSecond float64 `json:"frames_per_second"`
	CPUMillis       float64 `json:"cpu_ms_per_frame"`
	ProfileLevelID  string  `json:"profile_level_id,omitempty"` // of H.264, for the SDP

	// How the encoder was found to work, where that differs from its row.
	Input      int  `json:"input,omitempty"`       // the index of the input that works, in the row's inputs after Fit
	NoKeyframe bool `json:"no_keyframe,omitempty"` // the encoder does not answer keyframe requests
	NotLive    bool `json:"not_live,omitempty"`    // the encoder does not obey a new bitrate while it runs
	Complete   bool `json:"complete,omitempty"`    // the trial came to its end: nothing was left unseen for lack of time

	Source SourceFacts `json:"source,omitzero"` // of a camera's own stream
}

// SourceFacts are what was seen of a camera that encodes by itself.
type SourceFacts struct {
	GOP       int  `json:"gop,omitempty"`       // frames from one keyframe to the next, 0 when fewer than two came
	Reordered bool `json:"reordered,omitempty"` // there are B-frames
}

// Works reports whether the encoder can be used.
func (v Verdict) Works() bool { return v.Outcome == OutcomeUsable || v.Outcome == OutcomeChosen }

// apply is the encoder as it was found to work.
func (v Verdict) apply(e Encoder) Encoder {
	if v.Input > 0 && v.Input < len(e.Inputs) {
		e.Inputs = e.Inputs[v.Input:]
	}
	if v.NoKeyframe {
		e.Keyframe = KeyframeNone
	}
	if v.NotLive {
		e.Live = false
	}
	return e
}
