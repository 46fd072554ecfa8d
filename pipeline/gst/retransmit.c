//go:build !nogst

// What a viewer is sent again: four rules.
//
// A receiver repeats its NACK for a lost packet every 100 ms or so, until the packet comes. On a link with a queue of half a second
// that makes five copies of each packet, and they keep the queue full. GStreamer's rtprtxsend sends them all. So:
//
//  1. A packet is sent again only when the viewer can have reported on the copy before, that is after one RTT.
//  2. All copies together stay within a budget: a share of what arrives, and a short burst. Half of the burst is kept for the newest
//     keyframe, since nothing decodes without it.
//  3. A packet that is asked for in vain is answered by a keyframe, for a browser would ask for one only after three seconds.
//  4. Where many packets are lost and the queue is short, as on a radio link, two copies of a packet are sent, and four if the viewer
//     asks for it again: copies are lost too. Where packets are lost and the RTT is long, a keyframe is sent twice before the viewer
//     asks: the picture stands still until the keyframe is complete. A slow link gets fewer copies, since they would fill its queue.
//
// pipeline/congestion/README.md has these rules and most of the constants in a table.

#include "retransmit.h"

// us: the least time before a packet is sent again. On a link with a short RTT each of several NACKs in a row would get through.
enum { RETRANSMIT_LEAST = 40000 };
// us: the most. Where the RTT is longer, a viewer would wait too long for one copy that was lost.
enum { RETRANSMIT_MOST = 500000 };
// Part of the bytes that arrive: one in three may be sent again. More would be a queue of its own.
enum { RETRANSMIT_SHARE = 3 };
// bytes: the largest and the smallest burst that may be sent again at once. The largest is a queue of 0.1 s at 3 Mbit/s; the
// smallest is five packets: with less, a slow link could not have one frame repaired.
enum { RETRANSMIT_BURST = 40000, RETRANSMIT_BURST_LEAST = 6000 };
// bytes of a packet, until a report tells: payloaders fill packets up to this size.
enum { PACKET = 1200 };
// us: for this long a packet is asked for in vain before a keyframe is requested. A browser waits for 3 s before it asks for one.
enum { IN_VAIN_US = 600000 };
// us between two keyframes that are requested like this: the first one must have had time to arrive.
enum { IN_VAIN_PAUSE_US = 1000000 };
// us: with an RTT from here on a packet goes once. The queue is long then, and a second copy makes it longer.
enum { TWICE_RTT_US = 250000 };
// us: with an RTT from here on a keyframe goes twice unasked. To wait for a NACK would make a stop that is seen.
enum { AGAIN_RTT_US = 150000 };
// us: for this long nothing is sent again of what a keyframe replaces. That is twice as long as a packet is kept (rtx.c).
enum { DROPPED_US = 2000000 };
// us: for this long a sequence number means the same packet. Numbers have 16 bits, so a number comes back after 65,536 packets, which
// takes longer than this up to 126 Mbit/s. All packets that can be sent again are younger.
enum { SAME_US = 5000000 };

// s: the burst is what arrives in this time. More at once would be a queue of its own.
static const double burst_time = 0.2;
// s: over this time the rate that arrives is averaged; some three reports.
static const double rate_time = 0.25;
// s: all copies of one packet take no longer than this on the link.
static const double copies_time = 0.025;
// Share of packets: above it packets go twice. At one in twenty, copies are often lost themselves.
static const double twice_loss = 0.05;
// Share of packets: above it a keyframe goes twice. Of a keyframe of 30 packets one is then lost more often than not.
static const double again_loss = 0.03;
// Weight of one report in the average of loss and size. A browser sends ten reports a second, so the average spans two seconds.
static const double report_weight = 0.05;

// is_before tells whether a sequence number is not later than another one; the numbers wrap around.
static gboolean is_before(guint seq, guint16 other) { return (gint16)((guint16)seq - other) <= 0; }

void retransmission_init(Retransmission *r) {
  *r = (Retransmission){.link = {.rtt = RETRANSMIT_MOST, .rate = RETRANSMIT_BURST / burst_time, .size = PACKET},
                        .budget = {.burst = RETRANSMIT_BURST}};
}

void retransmission_reported(Retransmission *r, const Report *report) {
  int64_t newest = 0;
  double bytes = 0;
  int lost = 0;
  for (int i = 0; i < report->count; i++) {
    const PacketFate *f = &report->fates[i];
    lost += f->lost;
    if (!f->lost) {
      newest = MAX(newest, f->sent);
      bytes += f->size;
    }
  }
  if (newest > 0)
    r->link.rtt = (report->at - newest) / 1000;
  if (report->count > lost)
    r->link.size += report_weight * (bytes / (report->count - lost) - r->link.size);
  r->link.loss += report_weight * ((double)lost / report->count - r->link.loss);
  double since = (report->at - r->link.heard) / 1e9;
  if (r->link.heard != 0 && since > 0)
    r->link.rate += MIN(1, since / rate_time) * (bytes / since - r->link.rate);
  r->link.heard = report->at;
  r->budget.burst = CLAMP(r->link.rate * burst_time, RETRANSMIT_BURST_LEAST, RETRANSMIT_BURST);
  r->budget.left = MIN(MAX(r->budget.left, 0) + bytes / RETRANSMIT_SHARE, r->budget.burst);
}

// copies_of is how often a packet is sent at once when it is sent again. again is TRUE when it has been sent again before.
static int copies_of(const Retransmission *r, gboolean again, gboolean old, int64_t now) {
  // After a drop nothing from before the keyframe is sent again. A long RTT is then that of the old queue, and more copies may be sent.
  gboolean after_drop = now < r->dropped.until && r->keyframe.sent && !old;
  if ((r->link.rtt >= TWICE_RTT_US && !after_drop) || r->budget.left < r->budget.burst / 2)
    return 1;
  int copies = 1 + again, lossy = r->link.loss > twice_loss;
  int fit = (int)(r->link.rate * copies_time / r->link.size);
  return MIN(copies * (1 + lossy), MAX(copies, fit));
}

NackAnswer retransmission_nack(Retransmission *r, guint ssrc, guint seq, int64_t now) {
  NackAnswer answer = {0};
  if (now < r->dropped.until && is_before(seq, r->dropped.newest))
    return answer;
  typeof(r->asked[0]) *entry = &r->asked[(seq ^ ssrc) % REMEMBERED];
  if (entry->first == 0 || entry->ssrc != ssrc || entry->seq != seq || now - entry->first >= SAME_US)
    *entry = (typeof(*entry)){ssrc, seq, now, 0};
  gboolean old = r->keyframe.sent && (guint16)(r->newest - seq) >= r->newest - r->keyframe.before;
  answer.keyframe = !old && now - entry->first >= IN_VAIN_US && now - r->keyframe.requested >= IN_VAIN_PAUSE_US;
  if (answer.keyframe)
    r->keyframe.requested = now;
  gboolean lately = entry->sent != 0 && now - entry->sent < CLAMP(r->link.rtt, RETRANSMIT_LEAST, RETRANSMIT_MOST);
  gboolean reported = r->link.heard != 0; // the budget is made of TWCC reports, so a viewer without them is held to none
  if (lately || (reported && r->budget.left < (old ? r->budget.burst / 2 : r->link.size)))
    return answer;
  answer.copies = copies_of(r, entry->sent != 0, old, now);
  entry->sent = now;
  r->budget.left -= answer.copies * r->link.size;
  return answer;
}

void retransmission_sent(Retransmission *r, guint32 newest) { r->newest = newest; }

void retransmission_keyframe(Retransmission *r, guint32 before) {
  r->keyframe.sent = TRUE;
  r->keyframe.before = before;
  r->budget.left = MAX(r->budget.left, r->budget.burst / 2);
}

gboolean retransmission_keyframe_again(Retransmission *r, guint ssrc, guint16 from, guint n, int64_t now) {
  double size = n * r->link.size;
  if (r->link.loss <= again_loss || r->link.rtt < AGAIN_RTT_US || size > r->budget.burst)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    guint seq = (guint16)(from + i);
    r->asked[(seq ^ ssrc) % REMEMBERED] = (typeof(r->asked[0])){ssrc, seq, now, now};
  }
  r->budget.left -= size;
  return TRUE;
}

void retransmission_drop(Retransmission *r, guint16 newest, int64_t now) {
  r->dropped.newest = newest;
  r->dropped.until = now + DROPPED_US;
}
