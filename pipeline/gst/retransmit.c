//go:build !nogst

// Requests for retransmission.
//
// A receiver asks for a lost packet every 100 ms or so until it comes. Behind a queue of half a second that is five copies of
// each, which keep the queue full, and after a link was cut it asks for everything that did not fit. (GStreamer's rtprtxsend has
// no limit.) So a packet is sent again only after the time that a report on the copy before takes, and all that is sent again
// is at most one part in RETRANSMIT_SHARE of what arrives, but for a burst of what arrives in burst_time, at most RETRANSMIT_BURST bytes:
// more would be a queue of its own. Half of the burst is for the newest keyframe: packets from before it get none of that. Nor is
// a packet kept for longer than KEPT_MS, by when its frame is not waited for any more: webrtcbin's 500 packets are 1.3 MB of each
// viewer's.
//
// What is asked for in vain for STUCK_US is replaced by a keyframe: a browser would wait for three seconds before it asks for
// one. Where many packets are lost although there is no queue, as by a radio, each goes twice, and what is asked for once more
// twice as often: or one in ten of the copies is lost as well, and the frame waits for two more ways there and back. Where such a
// way is long besides, as behind the queue of a link that has just been cut, a keyframe goes twice without being asked for: the
// picture stands still until it is whole. On a slow link, where the copies of one packet would take longer than copies_time, there
// are fewer: they would be the queue. The first packet of a keyframe is repeated at once (see stamp_split).

#include "retransmit.h"

enum {
  RETRANSMIT_LEAST = 40000, // us
  RETRANSMIT_MOST = 500000,
  RETRANSMIT_SHARE = 3,
  RETRANSMIT_BURST = 40000, // bytes
  RETRANSMIT_BURST_LEAST = 6000,
  REMEMBERED = 512,
  PACKET = 1200, // bytes, until a report tells
  KEPT_MS = 1000,
  STUCK_US = 600000,
  STUCK_PAUSE_US = 1000000,
  TWICE_TRIP_US = 250000,
  AGAIN_TRIP_US = 150000,
  FIRST_MOST_US = 20000,
};

static const double burst_time = 0.2, rate_time = 0.25, copies_time = 0.025; // s
static const double twice_loss = 0.05, again_loss = 0.03, some_loss = 0.01, loss_weight = 0.05; // of a report, of which there are some ten a second

struct Retransmission {
  GMutex lock;
  GWeakRef out; // the source pad of what sends again
  gboolean reported, keyed;
  guint16 key;    // the number before those of the newest keyframe
  guint16 dead;   // the newest that is not sent again, until
  int64_t until;
  int64_t rtt;   // us, of the newest packet of a report and of the report
  int64_t requested; // when a keyframe was asked for
  int64_t heard;  // of the newest report, ns
  double rate;    // that arrives, bytes/s
  double burst;   // bytes, the most of a budget
  double budget;  // bytes
  double size;    // of a packet, bytes
  double loss;    // share
  GCond gone;     // owed has become 0
  int owed;       // copies of a first packet that have not been sent,
  uint16_t first; // and its number
  struct {
    guint ssrc, seq;
    int64_t first, at; // g_get_monotonic_time() when it was asked for, and sent; 0 for not yet
  } seen[REMEMBERED];
};

// copies_now says how often a packet is to be sent again now, and whether a keyframe is to be made instead of it.
static int copies_now(Retransmission *r, guint ssrc, guint seq, gboolean *keyframe) {
  int64_t now = g_get_monotonic_time();
  int copies = 0;
  g_mutex_lock(&r->lock);
  if (now < r->until && (gint16)((guint16)seq - r->dead) <= 0) {
    g_mutex_unlock(&r->lock);
    return 0;
  }
  typeof(r->seen[0]) *slot = &r->seen[(seq ^ ssrc) % REMEMBERED];
  if (slot->first == 0 || slot->ssrc != ssrc || slot->seq != seq)
    *slot = (typeof(*slot)){ssrc, seq, now, 0};
  gboolean before = r->keyed && (gint16)((guint16)seq - r->key) <= 0;
  *keyframe = !before && now - slot->first >= STUCK_US && now - r->requested >= STUCK_PAUSE_US;
  if (*keyframe)
    r->requested = now;
  gboolean lately = slot->at != 0 && now - slot->at < CLAMP(r->rtt, RETRANSMIT_LEAST, RETRANSMIT_MOST);
  if (!lately && (!r->reported || r->budget >= (before ? r->burst / 2 : r->size))) {
    gboolean again = slot->at != 0, lossy = r->loss > twice_loss;
    gboolean soon = r->rtt < TWICE_TRIP_US || (now < r->until && r->keyed && !before); // behind what was given up no queue grows
    if (soon && r->budget >= r->burst / 2)
      copies = MIN((1 + again) * (1 + lossy), MAX(1 + again, (int)(r->rate * copies_time / r->size)));
    else
      copies = 1;
    slot->at = now;
    r->budget -= copies * r->size;
  }
  g_mutex_unlock(&r->lock);
  return copies;
}

void retransmission_learn(Retransmission *r, const Report *report) {
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
  g_mutex_lock(&r->lock);
  r->reported = TRUE;
  if (newest > 0)
    r->rtt = (report->at - newest) / 1000;
  if (report->count > lost)
    r->size += loss_weight * (bytes / (report->count - lost) - r->size);
  r->loss += loss_weight * ((double)lost / report->count - r->loss);
  double since = (report->at - r->heard) / 1e9;
  if (r->heard != 0 && since > 0)
    r->rate += MIN(1, since / rate_time) * (bytes / since - r->rate);
  r->heard = report->at;
  r->burst = CLAMP(r->rate * burst_time, RETRANSMIT_BURST_LEAST, RETRANSMIT_BURST);
  r->budget = MIN(MAX(r->budget, 0) + bytes / RETRANSMIT_SHARE, r->burst);
  g_mutex_unlock(&r->lock);
}

static const char copied[] = "boardcast-copy"; // in a request of our own

static GstPadProbeReturn on_request(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  GstEvent *e = GST_PAD_PROBE_INFO_EVENT(info);
  const GstStructure *s = gst_event_get_structure(e);
  guint seq = 0, ssrc = 0;
  gboolean keyframe = FALSE;
  if (s == NULL || !gst_structure_has_name(s, "GstRTPRetransmissionRequest") || gst_structure_has_field(s, copied) ||
      !gst_structure_get_uint(s, "seqnum", &seq) || !gst_structure_get_uint(s, "ssrc", &ssrc))
    return GST_PAD_PROBE_OK;
  int copies = copies_now(data, ssrc, seq, &keyframe);
  if (keyframe)
    gst_pad_send_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                 gst_structure_new("GstForceKeyUnit", "ssrc", G_TYPE_UINT, ssrc, "all-headers", G_TYPE_BOOLEAN, TRUE, NULL)));
  for (int i = 1; i < copies; i++) {
    GstStructure *again = gst_structure_copy(s);
    gst_structure_set(again, copied, G_TYPE_BOOLEAN, TRUE, NULL);
    gst_pad_send_event(pad, gst_event_new_custom(GST_EVENT_TYPE(e), again));
  }
  return copies > 0 ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void retransmission_keyframe(Retransmission *r, uint16_t before) {
  g_mutex_lock(&r->lock);
  r->keyed = TRUE;
  r->key = before;
  r->budget = MAX(r->budget, r->burst / 2);
  g_mutex_unlock(&r->lock);
}

// send_again sends n packets from that number on once more, as if each had been asked for.
static void send_again(GstPad *out, guint ssrc, uint16_t from, guint n) {
  for (guint i = 0; i < n; i++)
    gst_pad_send_event(out, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                 gst_structure_new("GstRTPRetransmissionRequest", "seqnum", G_TYPE_UINT, (guint)(uint16_t)(from + i), "ssrc",
                                                                   G_TYPE_UINT, ssrc, copied, G_TYPE_BOOLEAN, TRUE, NULL)));
}

// repeats tells whether a packet is RTX of that number, with which it begins (RFC 4588): sound of the same session goes the same way.
static gboolean repeats(GstBuffer *b, uint16_t seq) {
  guint8 header[4], original[2];
  gsize at = 12;
  if (gst_buffer_extract(b, 0, header, 1) != 1)
    return FALSE;
  at += 4 * (header[0] & 15);
  if (header[0] & 0x10) {
    if (gst_buffer_extract(b, at, header, sizeof header) != sizeof header)
      return FALSE;
    at += sizeof header + 4 * GST_READ_UINT16_BE(header + 2);
  }
  return gst_buffer_extract(b, at, original, sizeof original) == sizeof original && GST_READ_UINT16_BE(original) == seq;
}

static GstPadProbeReturn on_copy(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Retransmission *r = data;
  g_mutex_lock(&r->lock);
  if (r->owed > 0 && repeats(GST_PAD_PROBE_INFO_BUFFER(info), r->first) && --r->owed == 0)
    g_cond_signal(&r->gone);
  g_mutex_unlock(&r->lock);
  return GST_PAD_PROBE_OK;
}

void retransmission_first_packet(Retransmission *r, guint ssrc, uint16_t seq) {
  g_mutex_lock(&r->lock);
  int copies = r->reported ? (r->loss > some_loss) + (r->loss > twice_loss) : 0;
  r->owed = copies;
  r->first = seq;
  g_mutex_unlock(&r->lock);
  GstPad *out = copies > 0 ? g_weak_ref_get(&r->out) : NULL;
  GstPad *next = out ? gst_pad_get_peer(out) : NULL; // whose lock it holds while a packet goes on: what comes then comes after it
  if (next) {
    gulong probe = gst_pad_add_probe(next, GST_PAD_PROBE_TYPE_BUFFER, on_copy, g_atomic_rc_box_acquire(r), retransmission_unref);
    for (int i = 0; i < copies; i++)
      send_again(out, ssrc, seq, 1);
    int64_t until = g_get_monotonic_time() + FIRST_MOST_US;
    g_mutex_lock(&r->lock);
    while (r->owed > 0 && g_cond_wait_until(&r->gone, &r->lock, until))
      ;
    r->owed = 0;
    g_mutex_unlock(&r->lock);
    gst_pad_remove_probe(next, probe);
  }
  g_clear_object(&next);
  g_clear_object(&out);
}

void retransmission_keyframe_again(Retransmission *r, guint ssrc, uint16_t from, guint n) {
  g_mutex_lock(&r->lock);
  double size = n * r->size;
  gboolean yes = r->reported && r->loss > again_loss && r->rtt >= AGAIN_TRIP_US && size <= r->burst;
  int64_t now = g_get_monotonic_time();
  for (guint i = 0; yes && i < n; i++) {
    guint seq = (uint16_t)(from + i);
    r->seen[(seq ^ ssrc) % REMEMBERED] = (typeof(r->seen[0])){ssrc, seq, now, now};
  }
  if (yes)
    r->budget -= size;
  g_mutex_unlock(&r->lock);
  GstPad *out = yes ? g_weak_ref_get(&r->out) : NULL;
  if (out)
    send_again(out, ssrc, from, n);
  g_clear_object(&out);
}

void retransmission_forget(Retransmission *r, uint16_t newest) {
  g_mutex_lock(&r->lock);
  r->dead = newest;
  r->until = g_get_monotonic_time() + 2 * KEPT_MS * 1000;
  g_mutex_unlock(&r->lock);
}

Retransmission *retransmission_new(void) {
  Retransmission *r = g_atomic_rc_box_new0(Retransmission);
  g_mutex_init(&r->lock);
  g_weak_ref_init(&r->out, NULL);
  g_cond_init(&r->gone);
  r->rtt = RETRANSMIT_MOST;
  r->size = PACKET;
  r->burst = RETRANSMIT_BURST;
  r->rate = RETRANSMIT_BURST / burst_time;
  return r;
}

static void retransmission_clear(gpointer data) {
  Retransmission *r = data;
  g_weak_ref_clear(&r->out);
  g_cond_clear(&r->gone);
  g_mutex_clear(&r->lock);
}

void retransmission_unref(gpointer r) { g_atomic_rc_box_release_full(r, retransmission_clear); }

void retransmission_limit(GstElement *rtx, Retransmission *r) {
  GstPad *pad = gst_element_get_static_pad(rtx, "src");
  if (pad == NULL)
    return;
  g_object_set(rtx, "max-size-time", KEPT_MS, NULL);
  g_weak_ref_set(&r->out, pad);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_request, g_atomic_rc_box_acquire(r), retransmission_unref);
  gst_object_unref(pad);
}
