//go:build !nogst

#include "receiver.h"
#include "media.h"
#include "_cgo_export.h"

GstElement *receiver_new(const char *graph, uintptr_t handle) {
  GError *err = NULL;
  GstElement *bin = gst_parse_bin_from_description(graph, FALSE, &err);
  GstElement *in = bin ? gst_bin_get_by_name(GST_BIN(bin), "in") : NULL;
  GstPad *target = in ? gst_element_get_static_pad(in, "sink") : NULL;
  if (err)
    mediaEvent(handle, EV_WARNING, 0, 0, err->message, 0);
  if (target)
    gst_element_add_pad(bin, gst_ghost_pad_new("sink", target));
  else
    g_clear_object(&bin);
  g_clear_object(&target);
  g_clear_object(&in);
  g_clear_error(&err);
  return bin;
}

struct Hearing {
  Fan *fan;   // NULL where the sound is dropped
  gint muted; // atomic
};

Hearing *hearing_new(Fan *f) {
  Hearing *h = g_atomic_rc_box_new0(Hearing);
  h->fan = f ? fan_ref(f) : NULL;
  h->muted = TRUE;
  return h;
}

static void hearing_clear(gpointer data) { g_clear_pointer(&((Hearing *)data)->fan, fan_unref); }

void hearing_unref(gpointer h) { g_atomic_rc_box_release_full(h, hearing_clear); }

void hearing_mute(Hearing *h, gboolean muted) { g_atomic_int_set(&h->muted, muted); }

// The sound of each viewer has the serial 0 in the fan. So the fan takes the frames of whichever viewer is not muted.
static GstFlowReturn on_heard(GstAppSink *sink, gpointer data) {
  Hearing *h = data;
  fan_take(h->fan, sink, 0, &h->muted);
  return GST_FLOW_OK;
}

void receiver_start(GstElement *receiver, GstElement *pipe, GstPad *pad, Hearing *h) {
  GstElement *out = h->fan ? gst_bin_get_by_name(GST_BIN(receiver), "out") : NULL;
  if (out && GST_IS_APP_SINK(out)) {
    GstAppSinkCallbacks cb = {.new_sample = on_heard};
    gst_app_sink_set_callbacks(GST_APP_SINK(out), &cb, g_atomic_rc_box_acquire(h), hearing_unref);
  }
  g_clear_object(&out);
  gst_bin_add(GST_BIN(pipe), receiver);
  gst_element_sync_state_with_parent(receiver);
  GstPad *sink = gst_element_get_static_pad(receiver, "sink");
  gst_pad_link(pad, sink);
  gst_object_unref(sink);
}
