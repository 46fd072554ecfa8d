// Package trial answers "does it really work": it tries encoders and cameras, judges what came out, and remembers the verdict.
//
// [Trials] is the [pipeline.Prover] of the program. A trial runs a short graph in a child process ([Child]), so that a driver
// that crashes or is stuck takes nothing else with it. The child says what it saw ([Observation]); the parent judges. A [Cache]
// keeps verdicts in a file as long as the machine stays the same.
//
// The package chooses nothing (package pipeline does). It runs no GStreamer: the child's side is pipeline/gst.
//
//	trials := trial.New(trial.Child{Command: command}.Run, cache, log)
//	verdict := trials.Encoder(ctx, encoder, raw, format)
package trial
