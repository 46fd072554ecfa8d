//go:build nogst

package gst

import (
	"boardcast/pipeline"
	"boardcast/pipeline/trial"
)

// Machine has nothing in this build.
func Machine() pipeline.Machine {
	return pipeline.Machine{Installed: func(string) bool { return false }}
}

// Begin answers ErrNoGStreamer.
func Begin() error { return ErrNoGStreamer }

// Try sees nothing in this build.
func Try(trial.Spec) (trial.Observation, func()) {
	return trial.Observation{Error: ErrNoGStreamer.Error()}, func() {}
}

// BeginTrial answers that there is no GStreamer.
func BeginTrial(trial.Spec) error { return ErrNoGStreamer }
