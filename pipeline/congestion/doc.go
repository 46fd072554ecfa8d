// Package congestion answers "how much may be sent": to one viewer by an [Estimator], to all viewers of one encoder by a
// [Policy].
//
// It neither sends nor measures: reports come in as values that carry their times, a rate goes out. There is no clock, no
// goroutine and no random number in it, so that a minute on a bad link is a test of a few milliseconds.
//
// # The estimate
//
// Google congestion control (draft-ietf-rmcat-gcc-02) with the trendline filter that libwebrtc put in the place of the
// draft's Kalman filter: it has no noise model to tune, and a window in time suits a stream whose groups of packets are
// whole frames. A delay that grows is over-use, and the rate falls to 0.9 of what arrives; else it rises, carefully near
// the rate at which the link was last found full. Loss above a tenth lowers it too; the smaller of the two wins.
// Where we differ from the draft, and why:
//
//   - Nothing paces our packets: a frame leaves in one burst. A group's delay is therefore that of its least delayed
//     packet, which tells of the queue it met and not of the frame's own size. And what has waited for less than 80 ms may
//     be one large frame, so that it is no over-use yet.
//   - What arrives while packets wait, from 150 ms on, is what the link carries; a mean over a fixed time is not.
//   - After over-use the rate stays lower yet until the queue has drained, for which the draft's 0.85 takes many seconds;
//     therefore the rate after that may be 0.9.
//   - What has arrived for a while without a queue is carried by the link, so the estimate is at least that. The encoder is
//     shared and may well send more than one viewer's estimate.
//   - Long calm lets the rate rise faster than 8 % a second, in the place of libwebrtc's probes, which need a pacer.
//   - Loss that does not lessen when less is sent is the radio's, not a queue's; it is learned and no longer counts.
//   - The rate does not rise above 1.5 times what arrives: an encoder that sends less than it may proves nothing.
//   - Without reports the estimate holds for [HoldTime], then halves every [HalfLife].
//
// # The policy
//
// One encoder serves many viewers. Its rate is the one that gives the most picture in sum: a viewer whose link carries the
// rate r counts ln(2r/floor), one whose link does not counts nothing; so two viewers of 2 and of 0.7 Mbit/s both get 0.7,
// while one of 0.2 does not take 5 Mbit/s from another. The rate falls at once and rises by at most 8 % a second; with one
// viewer alone the estimate sets the pace. It never leaves [floor, ceiling]. A viewer whose estimate stays clearly below
// the rate is slow: it gets keyframes only, and is tried again with everything after a time that doubles each time.
//
// Where there is a lower rendition, a slow viewer gets that, so who is left out counts too: what its link carries of the
// lower rendition, at seven tenths of the worth of a full picture. It is left out sooner, and is tried again only while its
// link clearly carries the lower rendition's ceiling. A trial that brings a queue or more loss ends at once, and tells what the
// link carries: the next one may be at that rate, if it is worth it to all.
package congestion
