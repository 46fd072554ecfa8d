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
