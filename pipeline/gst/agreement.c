//go:build !nogst

#include "media.h"

// What was agreed of H.264 (its profile-level-id) stands for the connection, while the encoder may be replaced by one whose
// SPS names another level: a payloader that were held to it would refuse that stream for good. So it is not told, and its
// caps are completed with what was agreed.
static GstPadProbeReturn on_payloader_query(GstPad *pad, GstPadProbeInfo *info, gpointer unused) {
  GstQuery *q = GST_PAD_PROBE_INFO_QUERY(info);
  GstCaps *caps = NULL;
  if (GST_QUERY_TYPE(q) != GST_QUERY_CAPS)
    return GST_PAD_PROBE_OK;
  gst_query_parse_caps_result(q, &caps);
  if (caps == NULL || gst_caps_is_any(caps) || gst_caps_is_empty(caps))
    return GST_PAD_PROBE_OK;
  GstCaps *open = gst_caps_copy(caps);
  for (guint i = 0; i < gst_caps_get_size(open); i++)
    gst_structure_remove_field(gst_caps_get_structure(open, i), "profile-level-id");
  gst_query_set_caps_result(q, open);
  gst_caps_unref(open);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_payloader_caps(GstPad *pad, GstPadProbeInfo *info, gpointer agreed) {
  GstEvent *e = GST_PAD_PROBE_INFO_EVENT(info);
  GstCaps *caps = NULL;
  if (GST_EVENT_TYPE(e) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps(e, &caps);
  caps = gst_caps_copy(caps);
  gst_caps_set_simple(caps, "profile-level-id", G_TYPE_STRING, agreed, NULL);
  GST_PAD_PROBE_INFO_DATA(info) = gst_event_new_caps(caps);
  gst_event_unref(e);
  gst_caps_unref(caps);
  return GST_PAD_PROBE_OK;
}

// keep_agreement puts both probes on a payloader's source pad, once it is linked, where a profile-level-id was agreed.
void keep_agreement(GstElement *bin) {
  GstElement *pay = gst_bin_get_by_name(GST_BIN(bin), "pay");
  GstPad *pad = pay ? gst_element_get_static_pad(pay, "src") : NULL;
  GstCaps *caps = pad ? gst_pad_peer_query_caps(pad, NULL) : NULL;
  const char *agreed = caps && !gst_caps_is_any(caps) && !gst_caps_is_empty(caps)
                           ? gst_structure_get_string(gst_caps_get_structure(caps, 0), "profile-level-id")
                           : NULL;
  if (agreed) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PULL, on_payloader_query, NULL, NULL);
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_payloader_caps, g_strdup(agreed), g_free);
  }
  gst_clear_caps(&caps);
  g_clear_object(&pad);
  g_clear_object(&pay);
}

GstCaps *extensions_of(GstElement *bin) {
  GstElement *filter = gst_bin_get_by_name(GST_BIN(bin), "extensions");
  GstCaps *caps = NULL;
  if (filter)
    g_object_get(filter, "caps", &caps, NULL);
  g_clear_object(&filter);
  return caps;
}
