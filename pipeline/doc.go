// Package pipeline answers "what to run": which encoder, which camera mode, which graphs, as plain values.
//
// [Choose] makes a [Plan] of what the user asked for ([Request]) and of what there is ([Given]). A plan holds a [Graph] for
// each thing that runs: the capture, an encoder per codec, the microphone. A graph is a value that prints as a gst-launch
// line. The encoder table ([Encoders]) has a row for each encoder element.
//
// The package starts nothing and has no goroutine. Whether an encoder works is asked of a [Prover], which pipeline/trial
// implements. What a plan says is run by pipeline/produce, and sent to viewers by pipeline/live. This package knows none of the three.
//
//	plan, err := pipeline.Choose(ctx, request, given)
//	for _, c := range plan.Choices {
//		fmt.Println(c.Encoder.ID, c.Graph)
//	}
package pipeline
