package pipeline

import (
	"cmp"
	"context"
	"slices"

	"boardcast/board"
)

// Entry is a row of the encoder table with what became of it on this machine.
type Entry struct {
	Encoder Encoder
	Verdict Verdict
}

// Survey tries every row of the table that fits the machine, at one size, and says what became of each, the fastest first. Of each codec
// that viewers are offered, the outcome of the encoder that Choose would take is OutcomeChosen. An empty codec means all.
func Survey(ctx context.Context, g Given, codec Codec, r Request) []Entry {
	var out []Entry
	for _, c := range []Codec{H264, VP8, VP9} {
		if codec == "" || codec == c {
			out = append(out, survey(ctx, g, c, r)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		return cmp.Or(
			cmp.Compare(outcomeOrder(a), outcomeOrder(b)),
			cmp.Compare(b.Verdict.FramesPerSecond, a.Verdict.FramesPerSecond),
		)
	})
	return out
}

// outcomeOrder is the place of an outcome in the list: what works first, what is missing last.
func outcomeOrder(e Entry) int {
	if e.Verdict.Works() {
		return 0
	}
	return 1 + slices.Index([]Outcome{OutcomeFailed, OutcomeSkipped, OutcomeMissing}, e.Verdict.Outcome)
}

// survey is the entries of one codec.
func survey(ctx context.Context, g Given, codec Codec, r Request) []Entry {
	fit, unfit := EncodersFor(g.Board, g.Machine, codec)
	var out []Entry
	chosen := codec == VP9 // viewers are offered VP9 only on request, so none is chosen
	for _, e := range fit {
		v := surveyOne(ctx, g, e, r)
		if v.Works() && !chosen {
			v.Outcome, chosen = OutcomeChosen, true
		}
		out = append(out, Entry{e, v})
	}
	for _, e := range instances(g.Machine, codec) {
		if why := unfit[e.ID]; why != nil {
			outcome := OutcomeSkipped
			if why.Missing {
				outcome = OutcomeMissing
			}
			out = append(out, Entry{e, Verdict{Outcome: outcome, Reason: why.Reason}})
		}
	}
	return out
}

// surveyOne is the verdict on an encoder at the request's size.
func surveyOne(ctx context.Context, g Given, e Encoder, r Request) Verdict {
	source := VideoSource{Width: r.Width, Height: r.Height, FPSNum: cmp.Or(r.FPS, defaultFPS), FPSDen: 1}
	limits := e.limits(g.Board)
	f := formatFor(Request{Bitrate: r.Bitrate}, source, board.Limits{SizeMultiple: limits.SizeMultiple})
	if reason := exceeds(limits, f); reason != "" {
		return Verdict{Outcome: OutcomeSkipped, Reason: reason}
	}
	raw := Raw{Format: "I420", Width: source.Width, Height: source.Height, FPSNum: source.FPSNum, FPSDen: 1}
	return g.Trials.Encoder(ctx, e, raw, f)
}
