//go:build !nogst

// A viewer reports which packets arrived, and when (transport-wide congestion control). rtpsession makes an event of each
// report; it becomes one call to Go.

#include "media.h"
#include "_cgo_export.h"

// take_fate reads one packet of a report; FALSE for one that the session had forgotten by then, and so has no time.
static gboolean take_fate(const GValue *v, PacketFate *out) {
  const GstStructure *s = v && GST_VALUE_HOLDS_STRUCTURE(v) ? gst_value_get_structure(v) : NULL;
  GstClockTime local = GST_CLOCK_TIME_NONE, remote = GST_CLOCK_TIME_NONE;
  if (s == NULL || !gst_structure_get_uint(s, "seqnum", &out->seq) || !gst_structure_get_uint64(s, "local-ts", &local))
    return FALSE;
  gst_structure_get_uint64(s, "remote-ts", &remote);
  gst_structure_get_uint(s, "size", &out->size);
  gst_structure_get_boolean(s, "lost", &out->lost);
  if (!GST_CLOCK_TIME_IS_VALID(local) || (!out->lost && !GST_CLOCK_TIME_IS_VALID(remote)))
    return FALSE;
  out->sent = (int64_t)local;
  out->arrived = out->lost ? 0 : (int64_t)remote;
  return TRUE;
}

// ---- which packets are numbered

// report_extensions gives a sending session, whose sink the pad is, the header extensions in its caps. It numbers packets, and
// remembers when each left, only if it finds the extension there; but what it sees are the caps of the stream that came to the
// funnel before it first, and the sound, which has no numbers, may well be first. The payloader then writes numbers, and every
// report on them tells of packets that the session does not know.
GstEvent *report_extensions(GstEvent *e, const GstCaps *extensions) {
  GstCaps *caps = NULL;
  gst_event_parse_caps(e, &caps);
  if (gst_caps_get_size(caps) != 1)
    return e;
  caps = gst_caps_copy(caps);
  const GstStructure *from = gst_caps_get_structure(extensions, 0);
  for (gint i = 0; i < gst_structure_n_fields(from); i++) {
    const gchar *name = gst_structure_nth_field_name(from, i);
    gst_caps_set_value(caps, name, gst_structure_get_value(from, name));
  }
  GstEvent *full = gst_event_new_caps(caps);
  gst_event_set_seqnum(full, gst_event_get_seqnum(e));
  gst_caps_unref(caps);
  gst_event_unref(e);
  return full;
}

// ---- requests for retransmission

// A receiver asks for a lost packet every 100 ms or so until it comes. Behind a queue of half a second that is five copies of
// each, which keep the queue full, and after a link was cut it asks for everything that did not fit. (GStreamer's rtprtxsend has
// no limit.) So a packet is sent again only after the time that a report on the copy before takes, and all that is sent again
// is at most one part in RESEND_SHARE of what arrives, but for a burst of RESEND_BURST bytes. Nor is a packet kept for longer
// than KEPT_MS, by when its frame is not waited for any more: webrtcbin's 500 packets are 1.3 MB of each viewer's.
enum { RESEND_LEAST = 40000, RESEND_MOST = 500000, RESEND_SHARE = 4, RESEND_BURST = 40000, RESENT = 1024, PACKET = 1200, KEPT_MS = 600 };

struct Resent {
  GMutex lock;
  gboolean reported;
  int64_t trip;   // us, of the newest packet of a report and of the report
  double budget;  // bytes
  struct {
    guint ssrc, seq;
    int64_t at; // g_get_monotonic_time(), 0 for none yet
  } seen[RESENT];
};

static gboolean resend(Resent *r, guint ssrc, guint seq) {
  int64_t now = g_get_monotonic_time();
  g_mutex_lock(&r->lock);
  typeof(r->seen[0]) *slot = &r->seen[(seq ^ ssrc) % RESENT];
  gboolean lately = slot->at != 0 && slot->ssrc == ssrc && slot->seq == seq &&
                    now - slot->at < CLAMP(r->trip, RESEND_LEAST, RESEND_MOST);
  gboolean ok = !lately && (!r->reported || r->budget >= PACKET);
  if (ok) {
    slot->ssrc = ssrc;
    slot->seq = seq;
    slot->at = now;
    r->budget -= PACKET;
  }
  g_mutex_unlock(&r->lock);
  return ok;
}

// resent_learn takes what a report says of the time that one takes, and of how much arrives.
static void resent_learn(Resent *r, int64_t now, const PacketFate *fates, int n) {
  int64_t newest = 0;
  double bytes = 0;
  for (int i = 0; i < n; i++)
    if (!fates[i].lost) {
      newest = MAX(newest, fates[i].sent);
      bytes += fates[i].size;
    }
  g_mutex_lock(&r->lock);
  r->reported = TRUE;
  if (newest > 0)
    r->trip = (now - newest) / 1000;
  r->budget = MIN(MAX(r->budget, 0) + bytes / RESEND_SHARE, RESEND_BURST);
  g_mutex_unlock(&r->lock);
}

static GstPadProbeReturn on_request(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  const GstStructure *s = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  guint seq = 0, ssrc = 0;
  gboolean request = s && gst_structure_has_name(s, "GstRTPRetransmissionRequest") &&
                     gst_structure_get_uint(s, "seqnum", &seq) && gst_structure_get_uint(s, "ssrc", &ssrc);
  return request && !resend(data, ssrc, seq) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

Resent *resent_new(void) {
  Resent *r = g_atomic_rc_box_new0(Resent);
  g_mutex_init(&r->lock);
  r->trip = RESEND_MOST;
  return r;
}

static void resent_clear(gpointer r) { g_mutex_clear(&((Resent *)r)->lock); }

void resent_unref(gpointer r) { g_atomic_rc_box_release_full(r, resent_clear); }

void resend_limit(GstElement *rtx, Resent *r) {
  GstPad *pad = gst_element_get_static_pad(rtx, "src");
  if (pad == NULL)
    return;
  g_object_set(rtx, "max-size-time", KEPT_MS, NULL);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_request, g_atomic_rc_box_acquire(r), resent_unref);
  gst_object_unref(pad);
}

// ---- reports on what arrived

// GValueArray, deprecated in GLib, is what the event holds.
G_GNUC_BEGIN_IGNORE_DEPRECATIONS

static void tell_report(const GstStructure *s, uintptr_t handle, Resent *r) {
  const GValue *list = gst_structure_get_value(s, "packets");
  GValueArray *all = list && G_VALUE_HOLDS(list, g_value_array_get_type()) ? g_value_get_boxed(list) : NULL;
  if (all == NULL)
    return;
  PacketFate fates[REPORT_PACKETS];
  int n = 0;
  for (guint i = all->n_values > REPORT_PACKETS ? all->n_values - REPORT_PACKETS : 0; i < all->n_values; i++) {
    fates[n] = (PacketFate){0};
    n += take_fate(g_value_array_get_nth(all, i), &fates[n]);
  }
  GstClock *clock = gst_system_clock_obtain(); // that of the session's own times
  int64_t now = (int64_t)gst_clock_get_time(clock);
  gst_object_unref(clock);
  if (n == 0)
    return;
  resent_learn(r, now, fates, n);
  mediaReport(handle, now, fates, n);
}

G_GNUC_END_IGNORE_DEPRECATIONS

typedef struct {
  uintptr_t handle;
  Resent *resent;
} Watch;

// The session sends each report up through what feeds it.
static GstPadProbeReturn on_report(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Watch *w = data;
  const GstStructure *s = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (s && gst_structure_has_name(s, "RTPTWCCPackets"))
    tell_report(s, w->handle, w->resent);
  return GST_PAD_PROBE_OK;
}

static void watch_free(gpointer w) {
  resent_unref(((Watch *)w)->resent);
  g_free(w);
}

void report_watch(GstPad *pad, uintptr_t handle, Resent *r) {
  Watch *w = g_new(Watch, 1);
  *w = (Watch){handle, g_atomic_rc_box_acquire(r)};
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_report, w, watch_free);
}
