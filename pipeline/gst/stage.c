//go:build !nogst

// A stage is a producing pipeline: capture, encoder or microphone. Its bus is read by a synchronous handler, so that no
// thread polls it, and its ends are joined to fans.

// The level element still posts a GValueArray, which GLib calls deprecated.
#define GLIB_DISABLE_DEPRECATION_WARNINGS
#include "media.h"
#include "_cgo_export.h"

#include <malloc.h>

struct Stage {
  GstElement *pipe;
  Tap *in;
  GstElement *out;
  Fan *fan; // what out fills
  uintptr_t handle;
  guint64 serial; // of two stages on one fan the later counts, once it has made a picture
  gint muted;
};

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

static void tell_problem(uintptr_t handle, GstMessage *m, int kind) {
  GError *err = NULL;
  gchar *debug = NULL;
  if (kind == EV_ERROR)
    gst_message_parse_error(m, &err, &debug);
  else
    gst_message_parse_warning(m, &err, &debug);
  int domain = err->domain == GST_RESOURCE_ERROR ? 1 : err->domain == GST_STREAM_ERROR ? 2 : 0;
  gchar *text = g_strdup_printf("%s: %s\n%s", GST_MESSAGE_SRC_NAME(m), err->message, debug ? debug : "");
  mediaEvent(handle, kind, domain, err->code, text, 0);
  g_free(text);
  g_free(debug);
  g_error_free(err);
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

// on_latency has a pipeline tell its elements the latency anew, on a thread of GStreamer's: who posts the message may hold
// what the question needs. webrtcbin makes its sessions long after the pipeline has started, and a session that was never
// told cannot say at which time a packet left: its sender reports would not let a browser put sound and picture together.
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

// on_sample is the appsink's new-sample callback. What a muted stage makes is dropped by its appsink.
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
    s->in = fan_tap(in, src, 0, FALSE, NULL, NULL);
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
    tap_free(s->in);
  g_clear_pointer(&s->out, gst_object_unref);
  g_clear_pointer(&s->fan, fan_unref);
  gst_object_unref(s->pipe);
  g_free(s);
}

// allocator sets glibc's allocator for a program that runs for weeks. It keeps large blocks, such as pictures, in mappings of their
// own, which go back to the system: left to itself it raises the limit to the largest block that was ever freed, and the arenas of
// heaps fill with holes between pictures. It has few arenas: each of the ten threads of a viewer would else have holes of its own.
// And freed blocks are joined at once, also small ones, whose pages would else fill with a few that stay. All this is set before Go
// runs, each of whose threads would take an arena first.
__attribute__((constructor)) static void allocator(void) {
#ifdef __GLIBC__
  enum { OWN_MAPPING = 128 * 1024, ARENAS = 2 };
  mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
  mallopt(M_ARENA_MAX, ARENAS);
  mallopt(M_MXFAST, 0);
#endif
}

// media_give_back returns to the system what glibc keeps of freed memory. It takes a millisecond or two.
void media_give_back(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

static gpointer warm(gpointer unused) {
  GstElement *e = gst_element_factory_make("dtlsdec", NULL);
  g_clear_object(&e);
  return NULL;
}

// The first DTLS element of a process makes its RSA key: a quarter of a second on a desktop, seconds on a small board.
void media_warm_dtls(void) { g_thread_unref(g_thread_new("dtls-key", warm, NULL)); }
