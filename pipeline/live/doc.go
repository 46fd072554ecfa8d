// Package live answers "who watches what": it serves one camera to its viewers, each by a connection of its own.
//
// A [Broadcast] has the producers of one [pipeline.Plan], and gives each its alternatives. A [Viewer] is one connection, from the first
// message of its negotiation to its end. Its adaptation decides which rendition the viewer is sent. A [Speaker] plays what viewers say.
//
// The way of a frame: a capture graph fills a raw fan. For each codec in use an encoder's graph reads that fan and fills a coded one. Each
// viewer's peer has a subscription in the fan of the viewer's codec, and in that of the microphone.
//
// The package chooses no encoder (package pipeline does), tries none (pipeline/trial does), replaces none (pipeline/produce does), limits
// no viewers (pipeline/places does) and speaks no signalling protocol: messages come in by [Viewer.Receive] and go out by the function
// that Join is given. It reaches GStreamer through the interfaces of pipeline/media.
//
//	b := live.NewBroadcast(engine, plan, live.Options{})
//	go b.Run(ctx)
//	v, err := b.Join("viewer-1", places.Origin{}, send)
package live
