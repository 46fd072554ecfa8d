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
// README.md beside this file has each rule and each constant of both in a row of a table, with its reason and the test that
// fails without it. The package in short:
//
// # The estimate
//
// Google congestion control (draft-ietf-rmcat-gcc-02) with the trendline filter that libwebrtc put in the place of the
// draft's Kalman filter: it has no noise model to tune, and a window in time suits a stream whose groups of packets are
// whole frames. A delay that grows is over-use, and the estimate falls below what the link carries. Otherwise the estimate
// rises, carefully near the rate at which the link was last found full. Loss above a tenth lowers the estimate too; the
// smaller of the two wins. This package differs from the draft in these points:
//
//   - No pacer spreads our packets: a frame leaves in one burst. The delay of a group is therefore that of its least delayed
//     packet. That delay tells of the queue before the frame; the others also tell of the frame's own size. Packets that have
//     waited for less than 80 ms are no over-use yet, since one large frame may be the reason.
//   - After 150 ms of a busy link, what arrived meanwhile is what the link carries. A mean over a fixed time is not.
//   - After over-use the estimate is lowered further until the queue has drained. The draft's factor of 0.85 takes many
//     seconds for that. Therefore the factor may be 0.9.
//   - What has arrived for a while without a queue is carried by the link, so the estimate is at least that. Viewers share
//     the encoder, which may well send more than one viewer's estimate.
//   - Long calm lets the estimate rise faster than 8 % a second. libwebrtc sends probes instead, which need a pacer.
//   - Loss that stays when less is sent is the radio's and not a queue's. It is learned and no longer counts.
//   - The estimate does not rise above 1.5 times what arrives: an encoder that sends less than it may proves nothing.
//   - Without reports the estimate stays for [HoldTime] and then halves every [HalfLife].
//
// # The policy
//
// One encoder serves many viewers. Its rate is the one that gives the most picture in sum. A viewer whose link carries the
// rate r counts ln(2r/floor); another viewer counts nothing. So two viewers of 2 and of 0.7 Mbit/s both get 0.7, while one
// of 0.2 does not take 5 Mbit/s from another. The rate falls at once and rises by 8 % a second at most; for one viewer alone
// the estimate sets the pace. The rate stays within the floor and the ceiling. A viewer whose estimate stays clearly below
// the rate is slow and gets keyframes only. After a wait it is served again for an upgrade; each upgrade that fails doubles the
// wait.
//
// Where there is a lower rendition, a slow viewer gets that instead. Then a viewer that the rate leaves out counts too: seven
// tenths of what its link carries of the lower rendition is worth. Such a viewer becomes slow sooner, and its upgrade waits until
// its link clearly carries the lower rendition's ceiling. An upgrade that brings a queue or more loss ends at once. It also
// tells what the link carries: the next upgrade may be at that rate, if all together gain by it.
package congestion
