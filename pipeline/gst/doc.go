// Package gst answers "how to run it": it implements [media.Engine] on GStreamer and is the only package with cgo and go-gst.
//
// A graph is run as the text that it prints: GStreamer's parser builds the pipeline from that text. What happens on GStreamer's threads
// is in C (fan.c, stage.c, peer.c): frames pass from producer to viewers without touching Go, and events reach Go as copies on bounded
// channels. The package decides nothing: what to run is package pipeline's; when to ask for a keyframe is
// pipeline/produce's, and when a viewer is gone is pipeline/live's.
//
// Under the build tag nogst the package compiles without GStreamer and New answers [ErrNoGStreamer].
package gst

import "errors"

// ErrNoGStreamer is New's answer in a binary built with the tag nogst.
var ErrNoGStreamer = errors.New("gst: built without GStreamer")
