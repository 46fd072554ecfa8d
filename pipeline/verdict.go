package pipeline

// Outcome is what became of an encoder.
type Outcome string

// The outcomes.
const (
	OutcomeChosen  Outcome = "chosen"
	OutcomeUsable  Outcome = "usable"  // it works and is not needed
	OutcomeFailed  Outcome = "failed"  // it was tried and does not do what it must
	OutcomeSkipped Outcome = "skipped" // it was not tried
	OutcomeMissing Outcome = "missing" // its element is not installed
)

// Verdict is what is known of an encoder on this machine, and how it has to be used there.
type Verdict struct {
	Outcome         Outcome `json:"outcome"`
	Reason          string  `json:"reason"`
	FramesPerSecond float64 `json:"frames_per_second"`
	CPUMillis       float64 `json:"cpu_ms_per_frame"`
	ProfileLevelID  string  `json:"profile_level_id,omitempty"` // of H.264, as the SDP is to say it

	// How it was found to work, where that differs from its row.
	Input      int  `json:"input,omitempty"`       // index in the row's inputs after Fit
	NoKeyframe bool `json:"no_keyframe,omitempty"` // keyframes can't be asked for
	NotLive    bool `json:"not_live,omitempty"`    // a new bitrate is not obeyed while it runs
	Complete   bool `json:"complete,omitempty"`    // every check was reached within the time

	Source SourceFacts `json:"source,omitzero"` // of a camera's own stream
}

// SourceFacts are what was seen of a camera that encodes by itself.
type SourceFacts struct {
	GOP       int  `json:"gop,omitempty"` // frames between keyframes, 0 when fewer than two came
	Reordered bool `json:"reordered,omitempty"`
}

// Works reports whether the encoder can be used.
func (v Verdict) Works() bool { return v.Outcome == OutcomeUsable || v.Outcome == OutcomeChosen }

// apply makes of an encoder what the verdict found to work.
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
