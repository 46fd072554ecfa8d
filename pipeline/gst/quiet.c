//go:build !nogst

#include "media.h"

// A transport's receiving bin, when ICE changes its state, blocks what comes in until there is a connection, and such a block
// holds a reference on the bin. It is freed as the bin goes to NULL; but libnice's thread still runs then, and a change that
// comes later makes one that nobody frees: the bin is left behind with its sockets (transportreceivebin.c, 1.22 and main). So it
// is not told any more.
static void quiet(GstElement *webrtc, GObject *side) {
  GObject *dtls = NULL, *ice = NULL;
  g_object_get(side, "transport", &dtls, NULL);
  if (dtls)
    g_object_get(dtls, "transport", &ice, NULL);
  if (ice) {
    GST_OBJECT_LOCK(webrtc);
    for (GList *c = GST_BIN_CHILDREN(webrtc); c; c = c->next)
      g_signal_handlers_disconnect_by_data(ice, c->data);
    GST_OBJECT_UNLOCK(webrtc);
  }
  g_clear_object(&ice);
  g_clear_object(&dtls);
  g_object_unref(side);
}

void webrtc_quiet(GstElement *webrtc) {
  GArray *all = NULL;
  g_signal_emit_by_name(webrtc, "get-transceivers", &all);
  for (guint i = 0; all && i < all->len; i++) {
    GObject *sender = NULL, *receiver = NULL;
    g_object_get(g_array_index(all, gpointer, i), "sender", &sender, "receiver", &receiver, NULL);
    quiet(webrtc, sender);
    quiet(webrtc, receiver);
  }
  g_clear_pointer(&all, g_array_unref);
}
