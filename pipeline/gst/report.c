//go:build !nogst

// A viewer reports which packets arrived, and when (transport-wide congestion control, TWCC). rtpsession sends each report as an event
// up through the video's appsrc. The reports of all viewers within some milliseconds become one call to Go.

#include "packets.h"
#include "report.h"
#include "rtx.h"
#include "_cgo_export.h"

// take_fate reads one packet of a report. FALSE for a packet without a time: rtpsession had forgotten it by then.
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

// rtpsession numbers packets, and remembers when each was sent, only if its caps name the TWCC extension. Its caps are those of the stream
// that came first to the funnel before it. That may be the sound, whose caps do not name the extension. Then reports would tell of
// packets that rtpsession does not know. So report_extensions adds the extensions to each caps event for rtpsession.
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

// A browser reports some ten times a second, and to wake Go costs more than to read a report. So a report that comes soon after a
// delivery waits in the box. The first report after the wait, of whichever viewer, delivers all. The reports of a single viewer come
// further apart than that, so none of them waits.

// ns: for this long after a delivery reports wait. A policy that looks each 50 ms loses little by it.
enum { DELIVER_NS = 40000000 };
// ns: a report does not wait when its newest packet was on its way for this much longer than the newest packet of the viewer's report
// before. Then the link has just become slower, and each tenth of a second fills half of its queue.
enum { LONGER_NS = 25000000 };
// Reports that may wait: those of 250 viewers and more in 40 ms.
enum { BOX = 256 };

static struct {
  GMutex lock;
  int n; // of waiting
  Report *waiting[BOX];
  int64_t delivered; // ns of the system's clock, the last time
} box;

// deliver hands a report to Go, now or later, and frees it then.
static void deliver(Report *r, gboolean now) {
  Report *out[BOX];
  int n = 0;
  g_mutex_lock(&box.lock);
  box.waiting[box.n++] = r;
  if (now || box.n == BOX || r->at - box.delivered >= DELIVER_NS) {
    n = box.n;
    memcpy(out, box.waiting, n * sizeof *out);
    box.n = 0;
    box.delivered = r->at;
  }
  g_mutex_unlock(&box.lock);
  if (n > 0)
    mediaReports(out, n);
  for (int i = 0; i < n; i++)
    g_free(out[i]);
}

// The event holds a GValueArray, which GLib calls deprecated.
G_GNUC_BEGIN_IGNORE_DEPRECATIONS

typedef struct {
  uintptr_t handle;
  Rtx *rtx;
  Stamp *stamp;
  int64_t took; // ns from sent to arrived, by two clocks, of the newest packet in the report before; 0 for none
} Watch;

// took_longer tells whether the newest packet of a report was much longer on its way than that of the report before.
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
  GstClock *clock = gst_system_clock_obtain(); // rtpsession takes its times from this clock
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
