//go:build !nogst

// A payloader makes RTP packets of each frame once, for all viewers. Two viewers' packets differ only in the header: SSRC, sequence
// number, time stamp, payload type, TWCC extension. So a stamp gives each viewer packets of its own: a new header of some twenty
// bytes, followed by the memory of the shared packet.
//
// A viewer's sequence numbers have no gaps, whichever frames the viewer is not sent. Its time stamps never go back, whichever of two
// encoders made the frame.
//
// Two viewers share memory, but no buffer and no list of GStreamer's. Each such object keeps a list of its holders under a lock that
// spins: with sixteen viewers on two processors a quarter of all time went into that.

#include "twcc.h"
#include "chromium.h"
#include "packets.h"

#include <string.h>

enum { HEADER = 12 };        // bytes: the fixed RTP header (RFC 3550)
enum { TWCC_EXTENSION = 8 }; // bytes: the header of all extensions, and one extension of two bytes (RFC 8285)

// ---- a payloader: packets of frames

// Payloader is an element with a pad of ours on either side. Its functions are called under its fan's lock.
struct Payloader {
  GstElement *pay;
  GstPad *in, *out;    // our pads, linked to the element's
  GstCaps *caps;       // the caps that the element was last given
  GstBufferList *made; // the packets of the present frame
  gboolean broken;     // the element has returned an error
};

static GstFlowReturn on_packet(GstPad *pad, GstObject *parent, GstBuffer *b) {
  gst_buffer_list_add(((Payloader *)pad->chaindata)->made, b);
  return GST_FLOW_OK;
}

static GstFlowReturn on_packets(GstPad *pad, GstObject *parent, GstBufferList *l) {
  for (guint i = 0; i < gst_buffer_list_length(l); i++)
    on_packet(pad, parent, gst_buffer_ref(gst_buffer_list_get(l, i)));
  gst_buffer_list_unref(l);
  return GST_FLOW_OK;
}

// The template of our pad that takes packets: it takes any. A pad without a template would answer with its present caps, and an H.264
// payloader would then refuse frames of any H.264 level but the first one's. The encoder may be replaced by one with another level.
// What was agreed with a viewer stands in the caps of the viewer's own packets.
static GstStaticPadTemplate anything = GST_STATIC_PAD_TEMPLATE("packets", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

Payloader *payloader_new(const char *payloader) {
  GError *err = NULL;
  GstElement *pay = gst_parse_launch(payloader, &err);
  g_clear_error(&err);
  if (pay == NULL)
    return NULL;
  Payloader *p = g_new0(Payloader, 1);
  p->pay = gst_object_ref_sink(pay);
  p->in = gst_object_ref_sink(gst_pad_new("frames", GST_PAD_SRC));
  p->out = gst_object_ref_sink(gst_pad_new_from_static_template(&anything, "packets"));
  gst_pad_set_chain_function_full(p->out, on_packet, p, NULL);
  gst_pad_set_chain_list_function_full(p->out, on_packets, p, NULL);
  GstPad *sink = gst_element_get_static_pad(pay, "sink"), *src = gst_element_get_static_pad(pay, "src");
  gboolean ok = sink && src && gst_pad_set_active(p->in, TRUE) && gst_pad_set_active(p->out, TRUE) &&
                gst_pad_link(p->in, sink) == GST_PAD_LINK_OK && gst_pad_link(src, p->out) == GST_PAD_LINK_OK &&
                gst_element_set_state(pay, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  g_clear_object(&sink);
  g_clear_object(&src);
  if (!ok)
    g_clear_pointer(&p, payloader_free);
  return p;
}

void payloader_free(Payloader *p) {
  gst_element_set_state(p->pay, GST_STATE_NULL);
  gst_pad_set_active(p->in, FALSE);
  gst_pad_set_active(p->out, FALSE);
  gst_clear_caps(&p->caps);
  gst_object_unref(p->in);
  gst_object_unref(p->out);
  gst_object_unref(p->pay);
  g_free(p);
}

static void payloader_begin(Payloader *p, GstCaps *caps) {
  if (p->caps == NULL)
    gst_pad_push_event(p->in, gst_event_new_stream_start("frames"));
  gst_pad_push_event(p->in, gst_event_new_caps(caps));
  if (p->caps == NULL) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_pad_push_event(p->in, gst_event_new_segment(&segment));
  }
  gst_caps_replace(&p->caps, caps);
}

gboolean payloader_broken(Payloader *p) { return p->broken; }

GstBufferList *payloader_packets(Payloader *p, GstBuffer *frame, GstCaps *caps) {
  if (p->caps == NULL || (caps != p->caps && !gst_caps_is_equal(caps, p->caps)))
    payloader_begin(p, caps);
  p->made = gst_buffer_list_new();
  p->broken = gst_pad_push(p->in, gst_buffer_ref(frame)) != GST_FLOW_OK;
  GstBufferList *made = g_steal_pointer(&p->made);
  if (p->broken || gst_buffer_list_length(made) == 0) {
    gst_buffer_list_unref(made);
    return NULL;
  }
  GstBuffer *first = gst_buffer_list_get_writable(made, 0);
  gst_buffer_unset_flags(first, GST_BUFFER_FLAG_DELTA_UNIT);
  gst_buffer_set_flags(first, GST_BUFFER_FLAGS(frame) & GST_BUFFER_FLAG_DELTA_UNIT);
  GST_BUFFER_PTS(first) = GST_BUFFER_PTS(frame);
  return made;
}

// ---- a stamp: one viewer's packets

GstCaps *packets_caps(GstPad *pad, const Packets *k) {
  GstCaps *agreed = gst_pad_query_caps(pad, NULL), *caps = NULL;
  for (guint i = 0; i < gst_caps_get_size(agreed) && caps == NULL && !gst_caps_is_any(agreed); i++) {
    gint type = -1;
    if (gst_structure_get_int(gst_caps_get_structure(agreed, i), "payload", &type) && type == k->type)
      caps = gst_caps_copy_nth(agreed, i);
  }
  gst_caps_unref(agreed);
  if (caps && k->ssrc != 0)
    gst_caps_set_simple(caps, "ssrc", G_TYPE_UINT, k->ssrc, NULL);
  return caps;
}

struct Stamp {
  gint waiting;      // atomic: frames that were stamped and have not left the appsrc
  gint seq;          // atomic: sequence number of the newest packet
  guint32 ssrc;
  guint32 time;      // the RTP time stamp of the epoch: a random one (RFC 3550)
  guint rate;        // clock rate: units of an RTP time stamp in a second
  guint type;        // payload type
  guint twcc_id;     // TWCC extension id, 0 for none
  Twcc twcc;         // which packets have that extension
  GstClockTime last; // time of the newest frame
  Rtx *rtx;          // sends packets again; NULL for none
  struct {
    guint16 from;    // its first sequence number
    guint n;         // its packets that have left so far; 0 for no keyframe
    gboolean more;   // only the first packet has left (stamp_split)
  } keyframe;        // the keyframe that left the appsrc last, if no frame has left since. Only the appsrc's thread touches this.
};

Stamp *stamp_new(const GstCaps *caps, guint twcc_id, Rtx *r) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  gint type = 0, rate = 0;
  guint ssrc = 0;
  if (!gst_structure_get_int(s, "payload", &type) || !gst_structure_get_int(s, "clock-rate", &rate) ||
      !gst_structure_get_uint(s, "ssrc", &ssrc) || rate <= 0)
    return NULL;
  Stamp *t = g_atomic_rc_box_new0(Stamp);
  t->seq = g_random_int_range(0, 1 << 15); // in the lower half, as RFC 3711 advises, so that the first wrap is far away
  t->time = g_random_int();
  t->ssrc = ssrc;
  t->type = (guint)type;
  t->rate = (guint)rate;
  t->twcc_id = twcc_id;
  g_mutex_init(&t->twcc.lock);
  t->last = GST_CLOCK_TIME_NONE;
  t->rtx = r ? g_atomic_rc_box_acquire(r) : NULL;
  return t;
}

static void stamp_clear(gpointer data) {
  Stamp *t = data;
  g_mutex_clear(&t->twcc.lock);
  if (t->rtx)
    rtx_unref(t->rtx);
}

void stamp_unref(gpointer t) { g_atomic_rc_box_release_full(t, stamp_clear); }

gint stamp_waiting(Stamp *t) { return g_atomic_int_get(&t->waiting); }
void stamp_reported(Stamp *t, int64_t sent) { twcc_reported(&t->twcc, sent / 1000); }
guint16 stamp_newest(Stamp *t) { return (guint16)g_atomic_int_get(&t->seq); }

// stamped is the viewer's own copy of one packet. NULL when the packet has contributing sources or extensions already: a payloader
// adds none, so it is no packet of a payloader's.
static GstBuffer *stamped(Stamp *t, GstBuffer *packet, GstClockTime pts) {
  GstMapInfo from, to;
  GstMemory *first = gst_buffer_peek_memory(packet, 0), *header;
  if (!gst_memory_map(first, &from, GST_MAP_READ))
    return NULL;
  gsize extra = t->twcc_id && twcc_number(&t->twcc, g_get_monotonic_time()) ? TWCC_EXTENSION : 0;
  gboolean ok = from.size >= HEADER && (from.data[0] & 0x1f) == 0;
  if (ok && gst_memory_map(header = gst_allocator_alloc(NULL, from.size + extra, NULL), &to, GST_MAP_WRITE)) {
    guint16 seq = (guint16)(g_atomic_int_add(&t->seq, 1) + 1);
    to.data[0] = from.data[0] | (extra ? 0x10 : 0);
    to.data[1] = (from.data[1] & 0x80) | t->type;
    GST_WRITE_UINT16_BE(to.data + 2, seq);
    GST_WRITE_UINT32_BE(to.data + 4, t->time + (guint32)gst_util_uint64_scale(pts, t->rate, GST_SECOND));
    GST_WRITE_UINT32_BE(to.data + 8, t->ssrc);
    if (extra) {
      static const guint8 words[] = {0xbe, 0xde, 0, 1};
      memcpy(to.data + HEADER, words, sizeof words);
      to.data[HEADER + 4] = t->twcc_id << 4 | 1;
      memset(to.data + HEADER + 5, 0, 3); // rtpsession writes the number
    }
    memcpy(to.data + HEADER + extra, from.data + HEADER, from.size - HEADER);
    gst_memory_unmap(header, &to);
  } else {
    ok = FALSE;
  }
  gst_memory_unmap(first, &from);
  if (!ok)
    return NULL;
  GstBuffer *out = gst_buffer_new();
  gst_buffer_append_memory(out, header);
  for (guint i = 1; i < gst_buffer_n_memory(packet); i++)
    gst_buffer_append_memory(out, gst_memory_share(gst_buffer_peek_memory(packet, i), 0, -1));
  gst_buffer_copy_into(out, packet, GST_BUFFER_COPY_FLAGS, 0, -1);
  GST_BUFFER_PTS(out) = pts;
  return out;
}

// ns, the least time from one frame of a viewer's to the next. When a viewer is moved from one encoder to another, the other one's
// frame may bear an earlier time; a VP8 decoder was seen to stop for good when time went back.
enum { FRAME_LATER = GST_MSECOND };

GstBufferList *stamp_packets(Stamp *t, GstBufferList *packets) {
  GstBuffer *first = gst_buffer_list_get(packets, 0);
  GstClockTime pts = GST_BUFFER_PTS(first);
  if (GST_CLOCK_TIME_IS_VALID(t->last) && pts < t->last + FRAME_LATER)
    pts = t->last + FRAME_LATER;
  t->last = pts;
  if (t->rtx && !GST_BUFFER_FLAG_IS_SET(first, GST_BUFFER_FLAG_DELTA_UNIT))
    rtx_keyframe(t->rtx, (guint32)g_atomic_int_get(&t->seq));
  guint n = gst_buffer_list_length(packets);
  GstBufferList *out = gst_buffer_list_new_sized(n);
  for (guint i = 0; i < n; i++) {
    GstBuffer *b = stamped(t, gst_buffer_list_get(packets, i), pts);
    if (b)
      gst_buffer_list_add(out, b);
  }
  if (gst_buffer_list_length(out) == 0) {
    gst_buffer_list_unref(out);
    return NULL;
  }
  if (t->rtx)
    rtx_sent(t->rtx, (guint32)g_atomic_int_get(&t->seq));
  g_atomic_int_inc(&t->waiting);
  return out;
}

GstBufferList *stamp_split(const Stamp *t, GstBufferList *packets) {
  gboolean delta = GST_BUFFER_FLAG_IS_SET(gst_buffer_list_get(packets, 0), GST_BUFFER_FLAG_DELTA_UNIT);
  return t->rtx == NULL || delta ? NULL : chromium_split(packets);
}

// on_leave sees a frame, or a part of a keyframe, leave the appsrc. One thread takes all packets from the appsrc to rtprtxsend and on:
// when a list leaves the appsrc, rtprtxsend has the list before it already, and can send it again.
static GstPadProbeReturn on_leave(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Stamp *t = data;
  GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
  GstBuffer *first = gst_buffer_list_get(list, 0);
  guint n = gst_buffer_list_length(list);
  if (t->keyframe.more) {
    chromium_first_packet(t->rtx, t->ssrc, t->keyframe.from);
    t->keyframe.n += n;
    t->keyframe.more = FALSE;
    return GST_PAD_PROBE_OK;
  }
  g_atomic_int_add(&t->waiting, -1);
  if (t->keyframe.n > 0)
    rtx_keyframe_sent(t->rtx, t->ssrc, t->keyframe.from, t->keyframe.n);
  t->keyframe.n = 0;
  gboolean delta = GST_BUFFER_FLAG_IS_SET(first, GST_BUFFER_FLAG_DELTA_UNIT);
  guint8 header[4];
  if (t->rtx && !delta && gst_buffer_extract(first, 0, header, sizeof header) == sizeof header) {
    t->keyframe.from = GST_READ_UINT16_BE(header + 2);
    t->keyframe.n = n;
    t->keyframe.more = n == 1 && !(header[1] & 0x80); // the marker bit is set in a frame's last packet
  }
  return GST_PAD_PROBE_OK;
}

void stamp_watch(Stamp *t, GstElement *src) {
  GstPad *pad = gst_element_get_static_pad(src, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER_LIST, on_leave, g_atomic_rc_box_acquire(t), stamp_unref);
  gst_object_unref(pad);
}
