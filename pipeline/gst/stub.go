//go:build nogst

package gst

import (
	"context"
	"log/slog"

	"boardcast/pipeline"
	"boardcast/pipeline/media"
)

// Engine runs nothing in this build.
type Engine struct{}

// New answers ErrNoGStreamer.
func New(*slog.Logger) (*Engine, error) { return nil, ErrNoGStreamer }

// Version is empty in this build.
func Version() string { return "" }

// Fan makes nothing in this build.
func (*Engine) Fan(bool) media.Fan { return nil }

// Start answers ErrNoGStreamer.
func (*Engine) Start(context.Context, pipeline.Graph, media.Fan, media.Fan) (media.Stage, error) {
	return nil, ErrNoGStreamer
}

// Peer answers ErrNoGStreamer.
func (*Engine) Peer(context.Context, media.PeerOptions) (media.Peer, error) {
	return nil, ErrNoGStreamer
}
