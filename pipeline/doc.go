// Package pipeline answers "what to run": which encoder, which graph, which viewer watches what.
//
// Everything here is plain values and one goroutine per thing that lives; GStreamer is reached through the interfaces
// [Engine], [Stage], [Fan] and [Peer], implemented by pipeline/gst and, for the tests, by a fake. The package neither
// probes hardware nor speaks a signalling protocol.
//
// A frame's way is: a capture graph fills a raw [Fan]; one encode graph per codec in use reads it and fills a coded fan;
// each viewer's [Peer] has a tap on the fans of its codec and of the microphone.
//
//	plan, err := pipeline.Build(wish, video, audio, speaker, machine)
//	b := pipeline.NewBroadcast(engine, plan, opts)
//	go b.Run(ctx)
//	v, err := b.Join("viewer-1", send)
package pipeline
