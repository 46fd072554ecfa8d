//go:build !nogst

// What all pipelines share: one epoch, the system's clock, and the DTLS key. Their buses are read by a synchronous handler, on the thread
// that posts a message, so no thread polls them.

// The element level posts a GValueArray, which GLib calls deprecated.
#define GLIB_DISABLE_DEPRECATION_WARNINGS
#include "media.h"
#include "_cgo_export.h"

GstClockTime media_epoch(void) {
  static gsize once = 0;
  static GstClockTime epoch;
  if (g_once_init_enter(&once)) {
    GstClock *clock = gst_system_clock_obtain();
    epoch = gst_clock_get_time(clock);
    gst_object_unref(clock);
    g_once_init_leave(&once, 1);
  }
  return epoch;
}

gchar *media_problem(GstMessage *m, int *domain, int *code) {
  GError *err = NULL;
  gchar *debug = NULL;
  if (GST_MESSAGE_TYPE(m) == GST_MESSAGE_ERROR)
    gst_message_parse_error(m, &err, &debug);
  else
    gst_message_parse_warning(m, &err, &debug);
  *domain = err->domain == GST_RESOURCE_ERROR ? 1 : err->domain == GST_STREAM_ERROR ? 2 : 0;
  *code = err->code;
  gchar *text = g_strdup_printf("%s: %s\n%s", GST_MESSAGE_SRC_NAME(m), err->message, debug ? debug : "");
  g_free(debug);
  g_error_free(err);
  return text;
}

static void tell_problem(uintptr_t handle, GstMessage *m, int kind) {
  int domain, code;
  gchar *text = media_problem(m, &domain, &code);
  mediaEvent(handle, kind, domain, code, text, 0);
  g_free(text);
}

static void tell_level(uintptr_t handle, const GstStructure *s) {
  const GValue *v = gst_structure_get_value(s, "rms");
  if (v == NULL || !G_VALUE_HOLDS(v, G_TYPE_VALUE_ARRAY))
    return;
  GValueArray *a = g_value_get_boxed(v);
  if (a->n_values > 0)
    mediaEvent(handle, EV_LEVEL, 0, 0, NULL, g_value_get_double(g_value_array_get_nth(a, 0)));
}

static void recalculate(GstElement *pipe, gpointer unused) { gst_bin_recalculate_latency(GST_BIN(pipe)); }

// on_latency has a pipeline tell its elements the latency anew, on another thread: the thread that posts the message may hold locks that
// are needed for it. webrtcbin makes rtpsessions long after the pipeline has started. An rtpsession that was never told the
// latency sends wrong times in its sender reports, and a browser cannot play sound and picture together by them.
static void on_latency(GstMessage *m) {
  GstObject *top = gst_object_ref(GST_MESSAGE_SRC(m));
  for (GstObject *up; (up = gst_object_get_parent(top)) != NULL; top = up)
    gst_object_unref(top);
  if (GST_IS_PIPELINE(top))
    gst_element_call_async(GST_ELEMENT(top), recalculate, NULL, NULL);
  gst_object_unref(top);
}

static GstBusSyncReply on_message(GstBus *bus, GstMessage *m, gpointer data) {
  uintptr_t handle = (uintptr_t)data;
  switch (GST_MESSAGE_TYPE(m)) {
  case GST_MESSAGE_ERROR:
    tell_problem(handle, m, EV_ERROR);
    break;
  case GST_MESSAGE_WARNING:
    tell_problem(handle, m, EV_WARNING);
    break;
  case GST_MESSAGE_EOS:
    mediaEvent(handle, EV_EOS, 0, 0, NULL, 0);
    break;
  case GST_MESSAGE_LATENCY:
    on_latency(m);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(m, "level"))
      tell_level(handle, gst_message_get_structure(m));
    break;
  default:
    break;
  }
  gst_message_unref(m);
  return GST_BUS_DROP;
}

void media_bus(GstElement *pipe, uintptr_t handle) {
  GstBus *bus = gst_element_get_bus(pipe);
  gst_bus_set_sync_handler(bus, on_message, (gpointer)handle, NULL);
  gst_object_unref(bus);
}

void media_clock(GstElement *pipe) {
  GstClock *clock = gst_system_clock_obtain();
  gst_pipeline_use_clock(GST_PIPELINE(pipe), clock);
  gst_object_unref(clock);
}

void media_consume(GstElement *pipe) {
  media_clock(pipe);
  gst_element_set_start_time(pipe, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time(pipe, media_epoch());
}

static gpointer warm(gpointer unused) {
  GstElement *e = gst_element_factory_make("dtlsdec", NULL);
  g_clear_object(&e);
  return NULL;
}

// The first DTLS element of a process makes the RSA key of all. That takes a quarter of a second on a desktop, seconds on a small board.
void media_warm_dtls(void) { g_thread_unref(g_thread_new("dtls-key", warm, NULL)); }
