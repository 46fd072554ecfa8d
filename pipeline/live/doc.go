// Package live answers "who watches what": it runs a plan's graphs while somebody watches, and serves each viewer.
//
// A [Broadcast] runs the graphs of one [pipeline.Plan], and replaces a graph that fails by another. A [Viewer] is one connection, from
// the first message of its negotiation to its end. GStreamer is reached through the interfaces [Engine], [Stage], [Fan] and [Peer].
// Package pipeline/gst implements them, and so does a fake in the tests.
//
// The way of a frame: a capture graph fills a raw [Fan]. For each codec in use an encoder's graph reads that fan and fills a coded one.
// Each viewer's [Peer] has a subscription in the fan of the viewer's codec, and in that of the microphone.
//
// The package chooses no encoder (package pipeline does), tries none (pipeline/trial does), limits no viewers (pipeline/places does)
// and speaks no signalling protocol: messages come in by [Viewer.Receive] and go out by the function that Join is given.
//
//	b := live.NewBroadcast(engine, plan, live.Options{})
//	go b.Run(ctx)
//	v, err := b.Join("viewer-1", places.Origin{}, send)
package live
