//go:build !nogst

// A viewer reports which packets arrived, and when (transport-wide congestion control). rtpsession makes an event of each
// report, and all viewers' reports of some time become one call to Go.

#include "packets.h"
#include "report.h"
#include "rtx.h"
#include "_cgo_export.h"

// take_fate reads one packet of a report; FALSE for one that the session had forgotten by then, and so has no time.
static gboolean take_fate(const GValue *v, PacketFate *out) {
  const GstStructure *s = v && GST_VALUE_HOLDS_STRUCTURE(v) ? gst_value_get_structure(v) : NULL;
  GstClockTime local = GST_CLOCK_TIME_NONE, remote = GST_CLOCK_TIME_NONE;
  *out = (PacketFate){0};
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

// ---- reports on what arrived

// A browser reports some ten times a second, and to wake Go costs more than to read a report: so those that come soon after a
// delivery wait for the next, which is made by the first one after DELIVER_NS, whoever's that is. A viewer alone never waits, nor
// does a report that tells of a queue: its newest packet took so much longer than that of the viewer's report before. Of a link
// that has just been cut, each tenth of a second fills half of the queue.
enum { DELIVER_NS = 40000000, LONGER_NS = 25000000, BOX = 256 };

static struct {
  GMutex lock;
  int n;
  Report *held[BOX];
  int64_t delivered;
} box;

// deliver takes charge of a report and hands it to Go, now or later.
static void deliver(Report *r, gboolean now) {
  Report *out[BOX];
  int n = 0;
  g_mutex_lock(&box.lock);
  box.held[box.n++] = r;
  if (now || box.n == BOX || r->at - box.delivered >= DELIVER_NS) {
    n = box.n;
    memcpy(out, box.held, n * sizeof *out);
    box.n = 0;
    box.delivered = r->at;
  }
  g_mutex_unlock(&box.lock);
  if (n > 0)
    mediaReports(out, n);
  for (int i = 0; i < n; i++)
    g_free(out[i]);
}

// GValueArray, deprecated in GLib, is what the event holds.
G_GNUC_BEGIN_IGNORE_DEPRECATIONS

typedef struct {
  uintptr_t handle;
  Rtx *rtx;
  Stamp *stamp;
  int64_t took; // by the newest packet of the report before, ns, by two clocks
} Watch;

// took_longer tells that the newest packet of a report took much longer than that of the one before.
static gboolean took_longer(Watch *w, const Report *r) {
  for (int i = r->count - 1; i >= 0; i--) {
    if (r->fates[i].lost)
      continue;
    int64_t took = r->fates[i].arrived - r->fates[i].sent, before = w->took;
    w->took = took;
    return before != 0 && took - before > LONGER_NS;
  }
  return FALSE;
}

static void tell_report(const GstStructure *s, Watch *w) {
  const GValue *list = gst_structure_get_value(s, "packets");
  GValueArray *all = list && G_VALUE_HOLDS(list, g_value_array_get_type()) ? g_value_get_boxed(list) : NULL;
  if (all == NULL)
    return;
  guint first = all->n_values > REPORT_PACKETS ? all->n_values - REPORT_PACKETS : 0;
  Report *out = g_malloc0(sizeof *out + (all->n_values - first) * sizeof *out->fates);
  for (guint i = first; i < all->n_values; i++)
    out->count += take_fate(g_value_array_get_nth(all, i), &out->fates[out->count]);
  if (out->count == 0) {
    g_free(out);
    return;
  }
  GstClock *clock = gst_system_clock_obtain(); // that of the session's own times
  out->at = (int64_t)gst_clock_get_time(clock);
  gst_object_unref(clock);
  out->handle = w->handle;
  rtx_reported(w->rtx, out);
  int64_t newest = 0;
  for (int i = 0; i < out->count; i++)
    newest = MAX(newest, out->fates[i].sent);
  stamp_reported(w->stamp, newest);
  deliver(out, took_longer(w, out));
}

G_GNUC_END_IGNORE_DEPRECATIONS

// The session sends each report up through what feeds it.
static GstPadProbeReturn on_report(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  const GstStructure *s = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  if (s && gst_structure_has_name(s, "RTPTWCCPackets"))
    tell_report(s, data);
  return GST_PAD_PROBE_OK;
}

static void watch_free(gpointer w) {
  rtx_unref(((Watch *)w)->rtx);
  stamp_unref(((Watch *)w)->stamp);
  g_free(w);
}

void report_watch(GstPad *pad, uintptr_t handle, Rtx *r, Stamp *t) {
  Watch *w = g_new(Watch, 1);
  *w = (Watch){handle, g_atomic_rc_box_acquire(r), g_atomic_rc_box_acquire(t), 0};
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_report, w, watch_free);
}
