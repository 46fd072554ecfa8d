//go:build !nogst

// What is changed inside a webrtcbin.

#include "ingress.h"
#include "tune.h"

// UPnP is off: it would run an HTTP server for each viewer. Connectivity checks go on after the connection is up: they find a dead viewer
// when all else fails.
void tune_agent(GstElement *webrtc, const PeerOptions *o) {
  GObject *ice = NULL, *agent = NULL;
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(webrtc), "ice-agent"))
    g_object_get(webrtc, "ice-agent", &ice, NULL);
  if (ice && g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent"))
    g_object_get(ice, "agent", &agent, NULL);
  if (agent)
    g_object_set(agent, "upnp", FALSE, "keepalive-conncheck", TRUE, "ice-tcp", o->ice_tcp, NULL);
  if (ice && o->port)
    g_object_set(ice, "min-rtp-port", o->port, "max-rtp-port", o->port, NULL);
  guint add = ice ? g_signal_lookup("add-local-ip-address", G_OBJECT_TYPE(ice)) : 0;
  for (const char **a = o->addresses; add && a && *a; a++) {
    gboolean ok = FALSE;
    g_signal_emit(ice, add, 0, *a, &ok);
  }
  g_clear_object(&agent);
  g_clear_object(&ice);
}

// each_made calls f for each element of a webrtcbin that this factory made.
static void each_made(GstElement *webrtc, const char *factory, GstIteratorForeachFunction f) {
  GstIterator *all = gst_bin_iterate_all_by_element_factory_name(GST_BIN(webrtc), factory);
  while (gst_iterator_foreach(all, f, NULL) == GST_ITERATOR_RESYNC) // an element came or went meanwhile
    gst_iterator_resync(all);
  gst_iterator_free(all);
}

static void bound_streams(const GValue *v, gpointer unused) {
  g_object_set(g_value_get_object(v), "max-streams", RTP_SENDERS, NULL); // an SSRC of RTCP takes a place too (rtpssrcdemux, 1.22)
}

void tune_streams(GstElement *webrtc) { each_made(webrtc, "rtpbin", bound_streams); }

// straighten links the ends of webrtcbin's bin for redundancy (RED and FEC) to one another. Redundancy is never agreed on here, but its two
// elements take each list apart and hand on single packets, and then all elements after them would get single packets.
void straighten(GstElement *bin) {
  GstPad *in = gst_element_get_static_pad(bin, "sink"), *out = gst_element_get_static_pad(bin, "src");
  if (GST_IS_GHOST_PAD(in) && GST_IS_GHOST_PAD(out)) {
    GstProxyPad *from = gst_proxy_pad_get_internal(GST_PROXY_PAD(in)), *to = gst_proxy_pad_get_internal(GST_PROXY_PAD(out));
    gst_ghost_pad_set_target(GST_GHOST_PAD(in), NULL);
    gst_ghost_pad_set_target(GST_GHOST_PAD(out), NULL);
    gst_pad_link_full(GST_PAD(from), GST_PAD(to), GST_PAD_LINK_CHECK_NOTHING);
    g_object_unref(from);
    g_object_unref(to);
  }
  g_clear_object(&in);
  g_clear_object(&out);
}

static GstPadProbeReturn on_sender_event(GstPad *pad, GstPadProbeInfo *info, gpointer unused) {
  return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_RECONFIGURE ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void refuse_events(const GValue *v, gpointer unused) {
  GstPad *src = gst_element_get_static_pad(g_value_get_object(v), "src");
  gst_pad_add_probe(src, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_sender_event, NULL, NULL);
  gst_object_unref(src);
}

// A reconfigure event starts the thread of an sctpenc (1.22), even while the sctpenc is being stopped. The thread then waits for data for
// ever, and the thread that stops or frees the pad waits for it. quiet_data drops such events from now on. release_data ends a thread
// that an earlier event has started.
void quiet_data(GstElement *webrtc) { each_made(webrtc, "sctpenc", refuse_events); }

static void flush_source(const GValue *v, gpointer unused) {
  GstPad *src = gst_element_get_static_pad(g_value_get_object(v), "src");
  gst_pad_set_active(src, TRUE); // or it takes no event
  gst_pad_send_event(src, gst_event_new_flush_start());
  gst_pad_stop_task(src);
  gst_pad_set_active(src, FALSE);
  gst_object_unref(src);
}

void release_data(GstElement *webrtc) { each_made(webrtc, "sctpenc", flush_source); }
