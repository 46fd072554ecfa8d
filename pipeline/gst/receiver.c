//go:build !nogst

#include "receiver.h"
#include "media.h"
#include "_cgo_export.h"

// Receiver is the bin that receiver_new makes. An element of it that fails must not fail the viewer's pipeline, in either of two ways:
// its error is not passed on, and its pad "sink" takes everything.
typedef struct {
  GstBin bin;
  uintptr_t handle;
  int slot;
  gint failed; // atomic: what comes in is thrown away
} Receiver;

typedef struct {
  GstBinClass bin;
} ReceiverClass;

G_DEFINE_TYPE(Receiver, receiver, GST_TYPE_BIN)

enum { RESOURCE = 1 }; // the domain of an error, as media_problem has it

// A failure is each error, and a warning about a resource: without any screen, autovideosink warns and throws away what was decoded.
// on_message runs on the thread that posts the message, before the element returns to whatever pushed a packet into it.
static void on_message(GstBin *bin, GstMessage *m) {
  Receiver *r = (Receiver *)bin;
  int domain = 0, code;
  gchar *text = GST_MESSAGE_TYPE(m) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING) ? media_problem(m, &domain, &code) : NULL;
  if (GST_MESSAGE_TYPE(m) != GST_MESSAGE_ERROR && domain != RESOURCE) {
    GST_BIN_CLASS(receiver_parent_class)->handle_message(bin, m);
  } else {
    if (g_atomic_int_compare_and_exchange(&r->failed, FALSE, TRUE))
      mediaEvent(r->handle, EV_DROPPED, r->slot, 0, text, 0);
    gst_message_unref(m);
  }
  g_free(text);
}

static void receiver_class_init(ReceiverClass *c) { GST_BIN_CLASS(c)->handle_message = on_message; }
static void receiver_init(Receiver *r) {}

static gboolean has_failed(GstObject *receiver) { return g_atomic_int_get(&((Receiver *)receiver)->failed); }

// take answers GST_FLOW_OK whatever becomes of a packet. An error would go back to webrtcbin's jitter buffer, and from there to nicesrc,
// which would end the whole transport.
static GstFlowReturn take(GstPad *pad, GstObject *receiver, GstBuffer *packet) {
  if (has_failed(receiver))
    gst_buffer_unref(packet);
  else
    gst_proxy_pad_chain_default(pad, receiver, packet);
  return GST_FLOW_OK;
}

static GstFlowReturn take_list(GstPad *pad, GstObject *receiver, GstBufferList *packets) {
  if (has_failed(receiver))
    gst_buffer_list_unref(packets);
  else
    gst_proxy_pad_chain_list_default(pad, receiver, packets);
  return GST_FLOW_OK;
}

// Caps that the pad refuses are an error to whatever sends them.
static gboolean take_query(GstPad *pad, GstObject *receiver, GstQuery *q) {
  if (GST_QUERY_TYPE(q) != GST_QUERY_ACCEPT_CAPS)
    return gst_pad_query_default(pad, receiver, q);
  gst_query_set_accept_caps_result(q, TRUE);
  return TRUE;
}

GstElement *receiver_new(const char *graph, int slot, uintptr_t handle) {
  GError *err = NULL;
  GstElement *inner = gst_parse_bin_from_description(graph, FALSE, &err);
  GstElement *in = inner ? gst_bin_get_by_name(GST_BIN(inner), "in") : NULL;
  GstPad *target = in ? gst_element_get_static_pad(in, "sink") : NULL;
  if (err)
    mediaEvent(handle, EV_WARNING, 0, 0, err->message, 0);
  Receiver *r = NULL;
  if (target) {
    r = g_object_new(receiver_get_type(), NULL);
    r->handle = handle;
    r->slot = slot;
    GstPad *inside = gst_ghost_pad_new("sink", target);
    gst_element_add_pad(inner, inside);
    gst_bin_add(GST_BIN(r), gst_object_ref(inner));
    GstPad *sink = gst_ghost_pad_new("sink", inside);
    gst_pad_set_chain_function(sink, take);
    gst_pad_set_chain_list_function(sink, take_list);
    gst_pad_set_query_function(sink, take_query);
    gst_element_add_pad(GST_ELEMENT(r), sink);
  }
  g_clear_object(&target);
  g_clear_object(&in);
  g_clear_object(&inner);
  g_clear_error(&err);
  return (GstElement *)r;
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
