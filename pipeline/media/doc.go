// Package media answers "what does an engine do": it holds the interfaces and the values between the engine and those that use it.
//
// An [Engine] runs graphs and makes connections: a [Stage] is a graph while it runs, a [Fan] hands on the frames of a producer, and a
// [Peer] is the media side of one viewer's connection. Package pipeline/gst implements them on GStreamer, and pipeline/media/fake for
// tests. Packages pipeline/produce and pipeline/live use them.
//
// The package holds no code that runs. It does not say what to run (package pipeline does), nor when.
//
//	fan := engine.Fan(true)
//	stage, err := engine.Start(ctx, graph, nil, fan)
package media
