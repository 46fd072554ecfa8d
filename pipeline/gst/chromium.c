//go:build !nogst

// The fault, seen in Chromium 156: when the first packet of an H.264 keyframe, with the parameter sets, arrives after other packets
// of the keyframe, and the picture has another size than before, Chromium takes the picture for one of the size before. It decodes
// nothing from there to the next keyframe. TestFirstPacketOfTheLowerRendition (test/e2e) shows it.
//
// What is done: a keyframe's first packet goes alone. Where packets are lost its copies are sent at once, and the second packet waits
// until they have left: then the first packet arrives before the others, unless the link loses it each time.

#include "chromium.h"

// us: the second packet waits no longer. The copies leave within a millisecond, unless another thread holds the pad.
enum { FIRST_PACKET_WAIT_US = 20000 };
// bytes of the fixed RTP header (RFC 3550).
enum { HEADER = 12 };
// Share of the viewer's packets that are lost: above the first one copy is sent, above the second two. Below one in a hundred a first
// packet is hardly ever lost; from one in twenty on a single copy is often lost as well.
static const double one_copy_loss = 0.01, two_copies_loss = 0.05;

// Copies is what the sending thread waits for. A probe holds a reference on it, since it may still run when the wait is over.
typedef struct {
  GMutex lock;
  GCond left;
  guint16 seq; // of the packet
  int owed;    // copies that have not left yet
} Copies;

GstBufferList *chromium_split(GstBufferList *keyframe) {
  guint n = gst_buffer_list_length(keyframe);
  if (n < 2)
    return NULL;
  GstBufferList *rest = gst_buffer_list_new_sized(n - 1);
  for (guint i = 1; i < n; i++)
    gst_buffer_list_add(rest, gst_buffer_ref(gst_buffer_list_get(keyframe, i)));
  gst_buffer_list_remove(keyframe, 1, n - 1);
  return rest;
}

// is_copy tells whether an RTX packet is a copy of the packet with this sequence number, which stands first in its payload
// (RFC 4588). The viewer's sound passes the same pad, and may have the same number in its header.
static gboolean is_copy(GstBuffer *b, guint16 seq) {
  guint8 header[4], original[2];
  gsize at = HEADER;
  if (gst_buffer_extract(b, 0, header, 1) != 1)
    return FALSE;
  at += 4 * (header[0] & 0x0f); // contributing sources
  if (header[0] & 0x10) {       // a header extension
    if (gst_buffer_extract(b, at, header, sizeof header) != sizeof header)
      return FALSE;
    at += sizeof header + 4 * GST_READ_UINT16_BE(header + 2);
  }
  return gst_buffer_extract(b, at, original, sizeof original) == sizeof original && GST_READ_UINT16_BE(original) == seq;
}

static GstPadProbeReturn on_packet(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Copies *c = data;
  g_mutex_lock(&c->lock);
  if (c->owed > 0 && is_copy(GST_PAD_PROBE_INFO_BUFFER(info), c->seq) && --c->owed == 0)
    g_cond_signal(&c->left);
  g_mutex_unlock(&c->lock);
  return GST_PAD_PROBE_OK;
}

static void copies_clear(gpointer data) {
  Copies *c = data;
  g_cond_clear(&c->left);
  g_mutex_clear(&c->lock);
}

static void copies_unref(gpointer c) { g_atomic_rc_box_release_full(c, copies_clear); }

static void copies_wait(Copies *c) {
  int64_t until = g_get_monotonic_time() + FIRST_PACKET_WAIT_US;
  g_mutex_lock(&c->lock);
  while (c->owed > 0 && g_cond_wait_until(&c->left, &c->lock, until))
    ;
  c->owed = 0;
  g_mutex_unlock(&c->lock);
}

void chromium_first_packet(Rtx *r, guint ssrc, guint16 seq) {
  double loss = rtx_loss(r);
  int copies = (loss > one_copy_loss) + (loss > two_copies_loss);
  GstPad *out = copies > 0 ? rtx_out(r) : NULL;
  // The probe is on the next pad: a copy that passes there holds that pad's lock, so the packet that follows the wait cannot
  // overtake it.
  GstPad *next = out ? gst_pad_get_peer(out) : NULL;
  if (next) {
    Copies *c = g_atomic_rc_box_new0(Copies);
    g_mutex_init(&c->lock);
    g_cond_init(&c->left);
    c->seq = seq;
    c->owed = copies;
    gulong probe = gst_pad_add_probe(next, GST_PAD_PROBE_TYPE_BUFFER, on_packet, g_atomic_rc_box_acquire(c), copies_unref);
    for (int i = 0; i < copies; i++)
      rtx_send(out, ssrc, seq, 1);
    copies_wait(c);
    gst_pad_remove_probe(next, probe);
    copies_unref(c);
  }
  g_clear_object(&next);
  g_clear_object(&out);
}
