// Package live answers "who watches what": it runs what a plan says while somebody watches, and serves each viewer.
//
// A [Broadcast] runs the graphs of one [pipeline.Plan] and replaces what fails. A [Viewer] is one connection, from the first
// message of its negotiation to its end. GStreamer is reached through the interfaces [Engine], [Stage], [Fan] and [Peer], which
// pipeline/gst implements, and a fake in the tests.
//
// A frame's way is: a capture graph fills a raw [Fan]; one encode graph per codec in use reads it and fills a coded fan;
// each viewer's [Peer] has a tap on the fans of its codec and of the microphone.
//
// The package chooses no encoder (package pipeline does), tries none (pipeline/trial does), limits no viewers (pipeline/places does)
// and speaks no signalling protocol: messages come in by [Viewer.Receive] and go out by the function that Join is given.
//
//	b := live.NewBroadcast(engine, plan, live.Options{})
//	go b.Run(ctx)
//	v, err := b.Join("viewer-1", places.Origin{}, send)
package live
