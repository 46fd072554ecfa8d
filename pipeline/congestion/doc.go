// Package congestion answers "how much may be sent": to one viewer by an [Estimator], to all viewers of one encoder by a
// [Policy].
//
// It sends nothing and measures nothing. Reports come in as values that carry their times, and a rate goes out. There is no
// clock, no goroutine and no random number in it, so that a minute on a bad link is a test of a few milliseconds.
//
//	e := congestion.NewEstimator(congestion.Limits{Start: 2_000_000})
//	p := congestion.NewPolicy(congestion.Bounds{Floor: 150_000, Ceiling: 2_500_000})
//	e.Receive(feedback) // as reports come in
//	d := p.Step(now, []congestion.View{{Key: 1, Snapshot: e.Snapshot(now)}})
//
// Each rule, and nearly each constant, has a row in README.md beside this file, with its reason and the test that fails without it. This
// comment says only what the whole is.
//
// # The estimate
//
// The estimator is Google congestion control (draft-ietf-rmcat-gcc-02). In the place of the draft's Kalman filter it has the
// trendline filter of libwebrtc, which has no noise model to tune; its window in time suits a stream whose groups of packets are
// whole frames. A delay that grows lowers one rate, loss lowers another, and the estimate is the smaller of the two.
//
// Where it differs from the draft, the reason is mostly one of three. No pacer spreads our packets: a frame leaves in one burst,
// and there are no probes. Viewers share the encoder, which may send more than one viewer's estimate, or less. And a link
// that suddenly carries much less must be noticed while the current frame is still arriving: its queue is full after 0.2 s.
//
// # The policy
//
// One encoder serves many viewers. Its rate is the one with the most utility to all of them in sum. A viewer whose link does not
// carry that rate is slow: it is sent the lower rendition or, without one, keyframes only. From time to time a slow viewer is
// upgraded, to see whether its link carries the first rendition now.
package congestion
