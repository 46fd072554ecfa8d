// Package produce answers "what makes the frames now, and with how many bits": it runs the best alternative of a producer that works,
// and sets its bitrate.
//
// A [Producer] runs while somebody uses the frames that its fan hands on. It is given a list of alternatives, the best first: each
// [Alternative] is a graph with what feeds it and how it is steered. One that fails, makes no frames or is deaf to keyframe requests is
// replaced by the next. It is tried again later at a [Pace], beside the one that serves. A [SharedRate] makes one bitrate of the
// estimates of all viewers of an encoder.
//
// The package chooses no alternative's graph (package pipeline does), knows no viewer but as a user and as an estimate (pipeline/live has
// them), and decides no rate (pipeline/congestion does).
//
//	p := produce.New(engine, produce.Options{Name: "h264", Coded: true, Grace: grace, Logger: log, Explain: explain})
//	p.Prepare(alternatives)
//	go p.Run(ctx)
//	p.Use()
//	err := peer.Attach(pipeline.VideoSlot, packets, p.Fan())
package produce
