//go:build !nogst

#include "trial.h"

struct Trial {
  GstElement *pipe, *in, *out, *encoder;
  GPtrArray *frames; // of GstBuffer
  GstClockTime frame_duration;
  guint pushed;
};

Trial *trial_new(GstElement *pipe, const char **err) {
  GstElement *out = gst_bin_get_by_name(GST_BIN(pipe), "out");
  if (!GST_IS_APP_SINK(out)) {
    *err = "graph has no appsink \"out\"";
    g_clear_object(&out);
    return NULL;
  }
  Trial *t = g_new0(Trial, 1);
  t->pipe = gst_object_ref(pipe);
  t->out = out;
  t->in = gst_bin_get_by_name(GST_BIN(pipe), "in");
  t->encoder = gst_bin_get_by_name(GST_BIN(pipe), "encoder");
  t->frames = g_ptr_array_new_with_free_func((GDestroyNotify)gst_buffer_unref);
  g_object_set(out, "drop", FALSE, "max-buffers", 0, "sync", FALSE, NULL);
  if (t->in) // a stream drops what comes too fast; here all of it counts
    g_object_set(t->in, "leaky-type", 0, "max-buffers", (guint64)0, "max-bytes", (guint64)0, NULL);
  return t;
}

static gchar *bus_error(GstElement *pipe) {
  GstBus *bus = gst_element_get_bus(pipe);
  GstMessage *m = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (m == NULL)
    return NULL;
  GError *err = NULL;
  gchar *debug = NULL;
  gst_message_parse_error(m, &err, &debug);
  gchar *text = g_strdup_printf("%s: %s\n%s", GST_MESSAGE_SRC_NAME(m), err->message, debug ? debug : "");
  g_error_free(err);
  g_free(debug);
  gst_message_unref(m);
  return text;
}

static void keep(Trial *t, GstSample *s) {
  if (t->frames->len == 0)
    gst_app_src_set_caps(GST_APP_SRC(t->in), gst_sample_get_caps(s));
  g_ptr_array_add(t->frames, gst_buffer_ref(gst_sample_get_buffer(s)));
  GstClockTime d = GST_BUFFER_DURATION(gst_sample_get_buffer(s));
  t->frame_duration = GST_CLOCK_TIME_IS_VALID(d) ? d : GST_SECOND / 30;
}

gchar *trial_frames(Trial *t, const char *graph) {
  if (!GST_IS_APP_SRC(t->in))
    return g_strdup("graph has no appsrc \"in\"");
  GError *gerr = NULL;
  GstElement *pipe = gst_parse_launch(graph, &gerr);
  if (gerr) {
    gchar *text = g_strdup_printf("build pictures: %s", gerr->message);
    g_error_free(gerr);
    g_clear_pointer(&pipe, gst_object_unref);
    return text;
  }
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipe), "out");
  gst_element_set_state(pipe, GST_STATE_PLAYING);
  for (;;) {
    GstSample *s = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), GST_SECOND);
    if (s == NULL)
      break;
    keep(t, s);
    gst_sample_unref(s);
  }
  gchar *text = bus_error(pipe);
  if (text == NULL && t->frames->len == 0)
    text = g_strdup("no pictures to try with");
  gst_element_set_state(pipe, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipe);
  return text;
}

void trial_feed(Trial *t) {
  guint n = t->frames->len;
  while (n > 0 && gst_app_src_get_current_level_buffers(GST_APP_SRC(t->in)) < 2) {
    guint at = n > 1 ? t->pushed % (2 * n - 2) : 0;
    GstBuffer *b = gst_buffer_copy(g_ptr_array_index(t->frames, at < n ? at : 2 * n - 2 - at));
    GST_BUFFER_PTS(b) = t->pushed++ * t->frame_duration;
    GST_BUFFER_DTS(b) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(b) = t->frame_duration;
    GST_BUFFER_OFFSET(b) = GST_BUFFER_OFFSET_END(b) = GST_BUFFER_OFFSET_NONE;
    if (gst_app_src_push_buffer(GST_APP_SRC(t->in), b) != GST_FLOW_OK)
      return; // the bus says why
  }
}

int trial_pull(Trial *t, guint64 timeout_ns, Frame *out) {
  GstSample *s = gst_app_sink_try_pull_sample(GST_APP_SINK(t->out), timeout_ns);
  if (s == NULL)
    return gst_app_sink_is_eos(GST_APP_SINK(t->out)) ? -1 : 0;
  GstBuffer *b = gst_sample_get_buffer(s);
  if (!gst_buffer_map(b, &out->info, GST_MAP_READ)) {
    gst_sample_unref(s);
    return 0;
  }
  out->sample = s;
  out->pts = GST_BUFFER_PTS_IS_VALID(b) ? (gint64)GST_BUFFER_PTS(b) : -1;
  return 1;
}

void trial_release(Frame *p) {
  gst_buffer_unmap(gst_sample_get_buffer(p->sample), &p->info);
  gst_sample_unref(p->sample);
}

gchar *trial_error(Trial *t) { return bus_error(t->pipe); }

void trial_keyframe(Trial *t) {
  GstPad *pad = gst_element_get_static_pad(t->out, "sink");
  GstStructure *st = gst_structure_new("GstForceKeyUnit", "all-headers", G_TYPE_BOOLEAN, TRUE, NULL);
  gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, st));
  gst_object_unref(pad);
}

gboolean trial_set(Trial *t, const char *property, const char *value) {
  if (t->encoder == NULL || !g_object_class_find_property(G_OBJECT_GET_CLASS(t->encoder), property))
    return FALSE;
  gst_util_set_object_arg(G_OBJECT(t->encoder), property, value);
  return TRUE;
}

gboolean trial_emit(Trial *t, const char *signal) {
  if (t->encoder == NULL || g_signal_lookup(signal, G_OBJECT_TYPE(t->encoder)) == 0)
    return FALSE;
  g_signal_emit_by_name(t->encoder, signal);
  return TRUE;
}

void trial_free(Trial *t) {
  gst_element_set_state(t->pipe, GST_STATE_NULL);
  g_ptr_array_unref(t->frames);
  g_clear_object(&t->in);
  g_clear_object(&t->encoder);
  gst_object_unref(t->out);
  gst_object_unref(t->pipe);
  g_free(t);
}
