//go:build !nogst

// The ingress filter looks at a viewer's packets in three places:
//
//   - before srtpdec. srtpdec keeps state for each SSRC before it checks that a packet is the viewer's. The headers of SRTP and SRTCP
//     are not encrypted (RFC 3711), so they can be read there.
//   - before rtpsession, at RTCP in the clear (rtcp.c).
//   - before sctpdec (sctp.c).

#include "ingress.h"
#include "media.h"
#include "rtcp.h"
#include "sctp.h"
#include "_cgo_export.h"

// RTCP packets a second, and at once: a browser sends some thirty a second, and a hundred after a burst of loss.
enum { RTCP_RATE = 200, RTCP_BURST = 400 };
// RTCP bytes a second, and at once: for a video of 5 Mbit/s with loss a browser sends TWCC reports of 10 kB a second, and NACKs of
// another 10 kB after a cut.
enum { RTCP_BYTES = 60000, RTCP_BYTES_BURST = 120000 };
// bytes: the fixed header of RTP (RFC 3550), which is all that is read of a packet here.
enum { HEADER = 12 };
// bytes: the least RTCP packet, with the SSRC of its sender.
enum { RTCP_LEAST = 8 };
// RTP and RTCP use one port. A packet is RTCP if its second byte, without the highest bit, is in this range, which RTP's payload types
// leave free (RFC 5761).
enum { RTCP_FROM = 64, RTCP_TO = 95 };

struct Ingress {
  uintptr_t handle;
  GMutex lock;          // guards all below
  guint64 allowed[2];     // a bit for each payload type whose RTP is let in
  Senders senders;
  Budget packets, bytes;  // of RTCP
  Rtcp rtcp;
  Streams streams;
  gboolean error_sent;         // Go was told that there are too many data channels: once is enough
  gboolean linked;       // packets that come out of srtpdec find a way on to rtpbin
};

gboolean senders_admit(Senders *s, guint32 ssrc, gboolean rtp) {
  int i = 0;
  while (i < s->n && s->known[i].ssrc != ssrc)
    i++;
  gboolean more = rtp && (i == s->n || !s->known[i].rtp); // this SSRC sends RTP for the first time
  if (i == SENDERS || (more && s->rtp == RTP_SENDERS))
    return FALSE;
  if (i == s->n)
    s->known[s->n++].ssrc = ssrc;
  s->known[i].rtp |= rtp;
  s->rtp += more;
  return TRUE;
}

gboolean budget_takes(Budget *b, double n, double rate, double burst, int64_t now) {
  b->left = b->at == 0 ? burst : MIN(burst, b->left + (now - b->at) * (rate / 1e6));
  b->at = now;
  if (n > b->left)
    return FALSE;
  b->left -= n;
  return TRUE;
}

static void ingress_clear(gpointer in) { g_mutex_clear(&((Ingress *)in)->lock); }

void ingress_unref(gpointer in) { g_atomic_rc_box_release_full(in, ingress_clear); }

Ingress *ingress_new(uintptr_t handle) {
  Ingress *in = g_atomic_rc_box_new0(Ingress);
  in->handle = handle;
  g_mutex_init(&in->lock);
  return in;
}

void ingress_allow(Ingress *in, const int *types, int n) {
  guint64 allowed[2] = {0};
  for (int i = 0; i < n; i++)
    if (types[i] >= 0 && types[i] < 128)
      allowed[types[i] / 64] |= G_GUINT64_CONSTANT(1) << types[i] % 64;
  g_mutex_lock(&in->lock);
  memcpy(in->allowed, allowed, sizeof allowed);
  g_mutex_unlock(&in->lock);
}

void ingress_linked(Ingress *in) { in->linked = TRUE; }

// starts tells whether an RTCP packet of this kind may come first. srtpdec reads the sender's SSRC from bytes 4 to 7, whatever the
// kind. SDES, a BYE of no SSRC and unknown kinds have something else there.
static gboolean starts(const guint8 *h) {
  static const guint8 types[] = {200, 201, 203, 204, 205, 206}; // SR, RR, BYE, APP, feedback
  return memchr(types, h[1], sizeof types) && (h[1] != 203 || (h[0] & 0x1f) > 0);
}

gboolean ingress_admits(Ingress *in, const guint8 *h, gsize given, gsize size, int64_t now) {
  if (given < RTCP_LEAST || h[0] >> 6 != 2)
    return FALSE;
  guint type = h[1] & 0x7f;
  if (type >= RTCP_FROM && type <= RTCP_TO)
    return starts(h) && budget_takes(&in->packets, 1, RTCP_RATE, RTCP_BURST, now) &&
           budget_takes(&in->bytes, size, RTCP_BYTES, RTCP_BYTES_BURST, now) &&
           senders_admit(&in->senders, GST_READ_UINT32_BE(h + 4), FALSE);
  // A packet with contributing sources (CSRC) is refused: rtpsession would keep each of them as one more source.
  return given >= HEADER && (h[0] & 0x0f) == 0 && (in->allowed[type / 64] >> type % 64 & 1) && in->linked &&
         senders_admit(&in->senders, GST_READ_UINT32_BE(h + 8), TRUE);
}

// ---- before srtpdec

// leads_on tells whether packets that come out of srtpdec find a way on. webrtcbin links that way when a section is agreed on in which
// something is received. A packet that comes through srtpdec before then ends the viewer's pipeline with "not linked".
static gboolean leads_on(GstObject *srtpdec) {
  gboolean on = FALSE;
  GstObject *bin = gst_object_get_parent(srtpdec), *receiver = bin ? gst_object_get_parent(bin) : NULL;
  GstPad *out = GST_IS_ELEMENT(receiver) ? gst_element_get_static_pad(GST_ELEMENT(receiver), "rtp_src") : NULL;
  if (out) {
    on = gst_pad_is_linked(out);
    gst_object_unref(out);
  }
  g_clear_object(&receiver);
  g_clear_object(&bin);
  return on;
}

static gboolean refuses(Ingress *in, GstPad *pad, GstBuffer *buf) {
  guint8 header[HEADER] = {0};
  gsize given = gst_buffer_extract(buf, 0, header, sizeof header);
  g_mutex_lock(&in->lock);
  if (!in->linked && (in->allowed[0] | in->allowed[1]))
    in->linked = leads_on(GST_OBJECT_PARENT(pad));
  gboolean admitted = ingress_admits(in, header, given, gst_buffer_get_size(buf), g_get_monotonic_time());
  g_mutex_unlock(&in->lock);
  return !admitted;
}

typedef struct {
  Ingress *in;
  GstPad *pad;
} Arrival;

static gboolean refuse_listed(GstBuffer **buf, guint index, gpointer data) {
  Arrival *a = data;
  if (refuses(a->in, a->pad, *buf))
    gst_clear_buffer(buf); // leaves the list
  return TRUE;
}

static GstPadProbeReturn on_srtp(GstPad *pad, GstPadProbeInfo *info, gpointer in) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER)
    return refuses(in, pad, GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  GstBufferList *list = gst_buffer_list_make_writable(GST_PAD_PROBE_INFO_BUFFER_LIST(info));
  Arrival a = {in, pad};
  gst_buffer_list_foreach(list, refuse_listed, &a);
  GST_PAD_PROBE_INFO_DATA(info) = list;
  return GST_PAD_PROBE_OK;
}

static void look(Ingress *in, GstPad *pad, GstPadProbeCallback f) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, f, g_atomic_rc_box_acquire(in), ingress_unref);
}

void ingress_watch_srtp(Ingress *in, GstElement *srtpdec) {
  for (GList *l = srtpdec->sinkpads; l; l = l->next)
    look(in, l->data, on_srtp);
}

// ---- before rtpsession and sctpdec

// whole maps the buffer that a probe is shown. FALSE for a list of buffers: no element makes one there, so a list is dropped.
static gboolean whole(GstPadProbeInfo *info, GstMapInfo *map) {
  return (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) &&
         gst_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), map, GST_MAP_READ);
}

static GstPadProbeReturn on_rtcp(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Ingress *in = data;
  GstMapInfo map;
  if (!whole(info, &map))
    return GST_PAD_PROBE_DROP;
  g_mutex_lock(&in->lock);
  gboolean admitted = rtcp_admits(&in->rtcp, &in->senders, map.data, map.size, g_get_monotonic_time());
  g_mutex_unlock(&in->lock);
  gst_buffer_unmap(GST_PAD_PROBE_INFO_BUFFER(info), &map);
  return admitted ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void ingress_watch_rtcp(Ingress *in, GstPad *rtcp) { look(in, rtcp, on_rtcp); }

static GstPadProbeReturn on_data(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Ingress *in = data;
  GstMapInfo map;
  if (!whole(info, &map))
    return GST_PAD_PROBE_DROP;
  g_mutex_lock(&in->lock);
  DataVerdict v = data_check(&in->streams, map.data, map.size);
  gboolean tell = v == DATA_TOO_MANY && !in->error_sent;
  in->error_sent |= tell;
  g_mutex_unlock(&in->lock);
  gst_buffer_unmap(GST_PAD_PROBE_INFO_BUFFER(info), &map);
  if (tell) {
    gchar *text = g_strdup_printf("the viewer opens more than %d data channels", CHANNELS);
    mediaEvent(in->handle, EV_ERROR, 0, 0, text, 0);
    g_free(text);
  }
  return v == DATA_FITS ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

void ingress_watch_sctp(Ingress *in, GstElement *sctpdec) {
  GstPad *pad = gst_element_get_static_pad(sctpdec, "sink");
  if (pad)
    look(in, pad, on_data);
  g_clear_object(&pad);
}
