//go:build nogst

package gst

import (
	"context"
	"log/slog"

	"boardcast/pipeline"
	"boardcast/pipeline/live"
)

// Engine runs nothing in this build.
type Engine struct{}

// New answers ErrNoGStreamer.
func New(*slog.Logger) (*Engine, error) { return nil, ErrNoGStreamer }

// Version is empty in this build.
func Version() string { return "" }

// Fan makes nothing in this build.
func (*Engine) Fan(bool) live.Fan { return nil }

// Start answers ErrNoGStreamer.
func (*Engine) Start(context.Context, pipeline.Graph, live.Fan, live.Fan) (live.Stage, error) {
	return nil, ErrNoGStreamer
}

// Peer answers ErrNoGStreamer.
func (*Engine) Peer(context.Context, live.PeerOptions) (live.Peer, error) {
	return nil, ErrNoGStreamer
}
