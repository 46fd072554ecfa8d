//go:build nogst

package gst

import "boardcast/pipeline"

// Machine has nothing in this build.
func Machine() pipeline.Machine {
	return pipeline.Machine{Installed: func(string) bool { return false }}
}

// Begin answers ErrNoGStreamer.
func Begin() error { return ErrNoGStreamer }

// Try sees nothing in this build.
func Try(pipeline.TrialSpec) (pipeline.Observation, func()) {
	return pipeline.Observation{Error: ErrNoGStreamer.Error()}, func() {}
}

// BeginTrial answers that there is no GStreamer.
func BeginTrial(pipeline.TrialSpec) error { return ErrNoGStreamer }
