//go:build !nogst

// What is set right inside webrtcbin.

#include "media.h"

// The ICE agent: no UPnP (an HTTP server per viewer), connectivity checks that go on (the backstop for a dead viewer).
void tune_agent(GstElement *webrtc, const PeerOptions *o) {
  GObject *ice = NULL, *agent = NULL;
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(webrtc), "ice-agent"))
    g_object_get(webrtc, "ice-agent", &ice, NULL);
  if (ice && g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent"))
    g_object_get(ice, "agent", &agent, NULL);
  if (agent)
    g_object_set(agent, "upnp", FALSE, "keepalive-conncheck", TRUE, "ice-tcp", o->ice_tcp, NULL);
  guint add = ice ? g_signal_lookup("add-local-ip-address", G_OBJECT_TYPE(ice)) : 0;
  for (const char **a = o->addresses; add && a && *a; a++) {
    gboolean ok = FALSE;
    g_signal_emit(ice, add, 0, *a, &ok);
  }
  g_clear_object(&agent);
  g_clear_object(&ice);
}

// straighten links the ends of webrtcbin's bin for redundancy, which is never agreed on here, past its two elements: they hand
// on a list of packets one by one, and so would everything after them.
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
