//go:build nogst

package gst

import (
	"context"
	"log/slog"

	"boardcast/pipeline"
)

// Engine runs nothing in this build.
type Engine struct{}

// New answers ErrNoGStreamer.
func New(*slog.Logger) (*Engine, error) { return nil, ErrNoGStreamer }

// Version is empty in this build.
func Version() string { return "" }

// Installed reports false in this build.
func (*Engine) Installed(string) bool { return false }

// Fan makes nothing in this build.
func (*Engine) Fan(bool) pipeline.Fan { return nil }

// Start answers ErrNoGStreamer.
func (*Engine) Start(context.Context, pipeline.Graph, pipeline.Fan, pipeline.Fan) (pipeline.Stage, error) {
	return nil, ErrNoGStreamer
}

// Peer answers ErrNoGStreamer.
func (*Engine) Peer(context.Context, pipeline.PeerOptions) (pipeline.Peer, error) {
	return nil, ErrNoGStreamer
}
