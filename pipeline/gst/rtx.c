//go:build !nogst

// An rtprtxsend keeps a viewer's newest packets, and sends one again for each event GstRTPRetransmissionRequest that comes up to its
// source pad: rtpsession makes such an event of each number in a NACK. A probe on that pad asks retransmit.c about each, drops the
// event or lets it pass, and adds events of our own for further copies.

#include "rtx.h"

// ms: for this long a packet is kept to be sent again. Then no viewer waits for its frame any more. webrtcbin's own bound of 500
// packets takes 1.3 MB for each viewer.
enum { KEPT_MS = 1000 };

struct Rtx {
  GMutex lock;    // guards decision
  Retransmission decision;
  GWeakRef out;   // the source pad of the rtprtxsend
};

static const char ours[] = "boardcast-copy"; // the field that marks our own events, which no probe is to decide about

static GstPadProbeReturn on_request(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Rtx *r = data;
  const GstStructure *s = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info));
  guint seq = 0, ssrc = 0;
  if (s == NULL || !gst_structure_has_name(s, "GstRTPRetransmissionRequest") || gst_structure_has_field(s, ours) ||
      !gst_structure_get_uint(s, "seqnum", &seq) || !gst_structure_get_uint(s, "ssrc", &ssrc))
    return GST_PAD_PROBE_OK;
  g_mutex_lock(&r->lock);
  NackAnswer answer = retransmission_nack(&r->decision, ssrc, seq, g_get_monotonic_time());
  g_mutex_unlock(&r->lock);
  if (answer.keyframe)
    gst_pad_send_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM,
                                                 gst_structure_new("GstForceKeyUnit", "ssrc", G_TYPE_UINT, ssrc, "all-headers", G_TYPE_BOOLEAN, TRUE, NULL)));
  for (int i = 1; i < answer.copies; i++)
    rtx_send(pad, ssrc, (guint16)seq, 1);
  return answer.copies > 0 ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void rtx_send(GstPad *out, guint ssrc, guint16 from, guint n) {
  for (guint i = 0; i < n; i++) {
    GstStructure *s = gst_structure_new("GstRTPRetransmissionRequest", "seqnum", G_TYPE_UINT, (guint)(guint16)(from + i), "ssrc",
                                        G_TYPE_UINT, ssrc, ours, G_TYPE_BOOLEAN, TRUE, NULL);
    gst_pad_send_event(out, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, s));
  }
}

void rtx_reported(Rtx *r, const Report *report) {
  g_mutex_lock(&r->lock);
  retransmission_reported(&r->decision, report);
  g_mutex_unlock(&r->lock);
}

void rtx_sent(Rtx *r, guint32 newest) {
  g_mutex_lock(&r->lock);
  retransmission_sent(&r->decision, newest);
  g_mutex_unlock(&r->lock);
}

void rtx_keyframe(Rtx *r, guint32 before) {
  g_mutex_lock(&r->lock);
  retransmission_keyframe(&r->decision, before);
  g_mutex_unlock(&r->lock);
}

void rtx_keyframe_sent(Rtx *r, guint ssrc, guint16 from, guint n) {
  g_mutex_lock(&r->lock);
  gboolean again = retransmission_keyframe_again(&r->decision, ssrc, from, n, g_get_monotonic_time());
  g_mutex_unlock(&r->lock);
  GstPad *out = again ? rtx_out(r) : NULL;
  if (out)
    rtx_send(out, ssrc, from, n);
  g_clear_object(&out);
}

void rtx_drop(Rtx *r, guint16 newest) {
  g_mutex_lock(&r->lock);
  retransmission_drop(&r->decision, newest, g_get_monotonic_time());
  g_mutex_unlock(&r->lock);
}

double rtx_loss(Rtx *r) {
  g_mutex_lock(&r->lock);
  double loss = r->decision.link.loss;
  g_mutex_unlock(&r->lock);
  return loss;
}

GstPad *rtx_out(Rtx *r) { return g_weak_ref_get(&r->out); }

Rtx *rtx_new(void) {
  Rtx *r = g_atomic_rc_box_new0(Rtx);
  g_mutex_init(&r->lock);
  g_weak_ref_init(&r->out, NULL);
  retransmission_init(&r->decision);
  return r;
}

static void rtx_clear(gpointer data) {
  Rtx *r = data;
  g_weak_ref_clear(&r->out);
  g_mutex_clear(&r->lock);
}

void rtx_unref(gpointer r) { g_atomic_rc_box_release_full(r, rtx_clear); }

void rtx_limit(Rtx *r, GstElement *rtprtxsend) {
  GstPad *pad = gst_element_get_static_pad(rtprtxsend, "src");
  if (pad == NULL)
    return;
  g_object_set(rtprtxsend, "max-size-time", KEPT_MS, NULL);
  g_weak_ref_set(&r->out, pad);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_request, g_atomic_rc_box_acquire(r), rtx_unref);
  gst_object_unref(pad);
}
