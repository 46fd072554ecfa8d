//go:build !nogst

// What a viewer may send of RTCP: so much a second, and nothing that makes GStreamer 1.22 complain on stderr each time. A
// browser sends some thirty packets a second, of which a burst of loss makes a hundred.

#include "media.h"

enum { RTCP_RATE = 200, RTCP_BURST = 400, RTCP_FIRST = 192, RTCP_LAST = 223, RTCP_BYE = 203 };

typedef struct {
  gdouble left;
  int64_t at; // us
} Intake;

static gboolean intake_takes(Intake *in, int64_t now) {
  in->left = MIN(RTCP_BURST, in->left + (now - in->at) * (RTCP_RATE / 1e6));
  in->at = now;
  if (in->left < 1)
    return FALSE;
  in->left--;
  return TRUE;
}

// intake_refuses looks at one packet, encrypted still: its first eight bytes never are. A BYE of nobody is what srtpdec asks
// for the first of its sources.
static gboolean intake_refuses(Intake *in, GstBuffer *buf) {
  guint8 head[2] = {0};
  if (gst_buffer_extract(buf, 0, head, sizeof head) < sizeof head || head[1] < RTCP_FIRST || head[1] > RTCP_LAST)
    return FALSE;
  return (head[1] == RTCP_BYE && (head[0] & 0x1f) == 0) || !intake_takes(in, g_get_monotonic_time());
}

static gboolean refuse_listed(GstBuffer **buf, guint index, gpointer in) {
  if (intake_refuses(in, *buf))
    gst_clear_buffer(buf); // leaves the list
  return TRUE;
}

static GstPadProbeReturn on_intake(GstPad *pad, GstPadProbeInfo *info, gpointer in) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)
    return intake_refuses(in, GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
  gst_buffer_list_foreach(list, refuse_listed, in);
  GST_PAD_PROBE_INFO_DATA(info) = list;
  return GST_PAD_PROBE_OK;
}

void intake_limit(GstElement *srtpdec) {
  for (GList *l = srtpdec->sinkpads; l; l = l->next) {
    Intake *in = g_new0(Intake, 1);
    *in = (Intake){RTCP_BURST, g_get_monotonic_time()};
    gst_pad_add_probe(l->data, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_intake, in, g_free);
  }
}
