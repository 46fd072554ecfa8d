//go:build !nogst

// A stage is a pipeline that makes frames: of a camera, an encoder or a microphone. Its appsrc and its appsink are joined to fans.

#include "subscription.h"
#include "media.h"
#include "stage.h"
#include "_cgo_export.h"

struct Stage {
  GstElement *pipe;
  Subscription *in;
  GstElement *out;
  Fan *fan; // what out fills
  uintptr_t handle;
  guint64 serial; // of two stages on one fan the later one fills it, once it has made a frame
  gint muted;
};

// on_sample is the appsink's callback for a new frame. Where it does not take the frame, the appsink drops it in the end.
static GstFlowReturn on_sample(GstAppSink *sink, gpointer data) {
  Stage *s = data;
  switch (g_atomic_int_get(&s->muted) ? TAKEN : fan_take(s->fan, sink, s->serial, &s->muted)) {
  case TAKEN_FIRST:
    mediaEvent(s->handle, EV_FIRST, 0, 0, NULL, 0);
    break;
  case TAKEN_REFUSED:
    mediaEvent(s->handle, EV_ERROR, 2, GST_STREAM_ERROR_FORMAT, "out: of many frames in a row no packets can be made", 0);
    break;
  case TAKEN:
    break;
  }
  return GST_FLOW_OK;
}

void stage_mute(Stage *s) {
  g_atomic_int_set(&s->muted, TRUE);
  if (s->fan)
    fan_release(s->fan, s->serial);
}

Stage *stage_new(GstElement *pipe, Fan *in, Fan *out, uintptr_t handle, const char **err) {
  GstElement *src = in ? gst_bin_get_by_name(GST_BIN(pipe), "in") : NULL;
  GstElement *sink = out ? gst_bin_get_by_name(GST_BIN(pipe), "out") : NULL;
  if ((in && !GST_IS_APP_SRC(src)) || (out && !GST_IS_APP_SINK(sink))) {
    *err = "graph has no appsrc \"in\" or no appsink \"out\"";
    g_clear_pointer(&src, gst_object_unref);
    g_clear_pointer(&sink, gst_object_unref);
    return NULL;
  }
  static gsize stages = 0;
  Stage *s = g_new0(Stage, 1);
  s->pipe = gst_object_ref(pipe);
  s->out = sink;
  s->handle = handle;
  s->serial = g_atomic_pointer_add(&stages, 1) + 1;
  media_clock(pipe);
  media_bus(pipe, handle);
  if (out) {
    s->fan = fan_ref(out);
    GstAppSinkCallbacks cb = {.new_sample = on_sample};
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &cb, s, NULL);
  }
  if (in) {
    media_consume(pipe);
    s->in = fan_subscribe(in, src, 0, FALSE, NULL, NULL);
    gst_object_unref(src);
  }
  return s;
}

void stage_keyframe(Stage *s) {
  GstPad *pad = gst_element_get_static_pad(s->out, "sink");
  GstStructure *st = gst_structure_new("GstForceKeyUnit", "all-headers", G_TYPE_BOOLEAN, TRUE, NULL);
  gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, st));
  gst_object_unref(pad);
}

gboolean stage_set(Stage *s, const char *element, const char *property, const char *value) {
  GstElement *e = gst_bin_get_by_name(GST_BIN(s->pipe), element);
  if (e == NULL)
    return FALSE;
  gboolean known = g_object_class_find_property(G_OBJECT_GET_CLASS(e), property) != NULL;
  if (known)
    gst_util_set_object_arg(G_OBJECT(e), property, value);
  gst_object_unref(e);
  return known;
}

gboolean stage_emit(Stage *s, const char *element, const char *signal) {
  GstElement *e = gst_bin_get_by_name(GST_BIN(s->pipe), element);
  if (e == NULL)
    return FALSE;
  gboolean known = g_signal_lookup(signal, G_OBJECT_TYPE(e)) != 0;
  if (known)
    g_signal_emit_by_name(e, signal);
  gst_object_unref(e);
  return known;
}

void stage_free(Stage *s) {
  if (s->in)
    subscription_free(s->in);
  g_clear_pointer(&s->out, gst_object_unref);
  g_clear_pointer(&s->fan, fan_unref);
  gst_object_unref(s->pipe);
  g_free(s);
}
