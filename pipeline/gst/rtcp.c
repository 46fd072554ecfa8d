//go:build !nogst

// What rtpsession (1.22) does with RTCP, and why it is looked at before:
//
//   - It keeps a source for each sender of a report, and for each chunk of SDES.
//   - It makes an event of each number in a NACK.
//   - It makes a structure of each packet in a TWCC report, also of those that the report merely counts: 40 bytes may stand for 65,535
//     packets.
//   - It takes a TWCC report to be four times as long as it is, and so reads past its end.
//   - It reads SDES items of type PRIV past their end, and keeps their names, which the sender chooses, until the program ends.

#include "rtcp.h"

// bytes (RFC 3550, RFC 4585): the header before the SSRC, one report block, and the least packet of each kind.
enum { RTCP_HEADER = 4, BLOCK = 24, SR_LEAST = 28, RR_LEAST = 8, FB_LEAST = 12 };
// Kinds of packet: RFC 3550, and from 205 on RFC 4585.
enum { TYPE_SR = 200, TYPE_RR, TYPE_SDES, TYPE_BYE, TYPE_APP, TYPE_RTPFB, TYPE_PSFB };
// Kinds of feedback: RFC 4585, RFC 6051 (SR_REQ), RFC 5104 (FIR), and the draft of TWCC.
enum { RTPFB_NACK = 1, RTPFB_SR_REQ = 5, RTPFB_TWCC = 15, PSFB_PLI = 1, PSFB_FIR = 4 };
// Types of SDES items (RFC 3550).
enum { SDES_END = 0, SDES_PRIV = 8 };
// bytes of feedback after both SSRCs: TWCC's header, its least report, and FIR's entry for one sender.
enum { TWCC_HEADER = 8, TWCC_LEAST = 10, FIR_ENTRY = 8 };

// Packets asked for again, a second and at once. A video of 5 Mbit/s has some 550 packets a second; all of them may be lost, and each
// asked for five times.
enum { NACK_RATE = 3000, NACK_BURST = 3000 };
// Keyframe requests, a second and at once. A browser repeats one once a second at most; an encoder makes one keyframe in half a second.
enum { KEYFRAMES_RATE = 10, KEYFRAMES_BURST = 20 };
// Packets that TWCC reports tell of, a second and at once. 5 Mbit/s are 550 a second. After a stop of the link one report tells of all
// packets that were lost in it.
enum { FATES_RATE = 4000, FATES_BURST = 12000 };

// Cost is what a compound packet asks for, in the units of the three budgets.
typedef struct {
  guint nacks, keyframes, fates;
} Cost;

// Part is one packet of a compound packet.
typedef struct {
  const guint8 *data;
  gsize size;
  guint count; // five bits of the header: how many blocks follow, or the kind of feedback
} Part;

static gboolean admit_at(Senders *s, const Part *p, gsize at) { return senders_admit(s, GST_READ_UINT32_BE(p->data + at), FALSE); }

static gboolean sr(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  return p->size >= SR_LEAST + BLOCK * p->count && admit_at(s, p, RTCP_HEADER);
}

static gboolean rr(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  return p->size >= RR_LEAST + BLOCK * p->count && admit_at(s, p, RTCP_HEADER);
}

static gboolean bye(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  gsize reason = RTCP_HEADER + 4 * p->count;
  return p->size >= reason && (p->size == reason || p->size - reason > p->data[reason]);
}

static gboolean sdes(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  gsize at = RTCP_HEADER;
  for (guint i = 0; i < p->count; i++) {
    if (p->size - at < 8 || !admit_at(s, p, at)) // the least chunk is an SSRC and four zeros
      return FALSE;
    for (at += 4; at < p->size && p->data[at] != SDES_END; at += 2 + p->data[at + 1])
      if (p->size - at < 2 || p->data[at] == SDES_PRIV)
        return FALSE;
    if (at >= p->size)
      return FALSE;
    at = (at + 4) & ~(gsize)3; // the end and its padding
  }
  return TRUE;
}

// gap is how many packets rtpsession takes for lost between the report before and this one. It also notes what rtpsession will expect
// next, by the rules of rtpsession.
static guint gap(Rtcp *r, guint16 base, guint16 count, guint8 number) {
  gint8 ahead = (gint8)(number - r->next_report);
  guint lost = 0;
  if (r->reported && (ahead < 0 || (ahead == 0 && base < r->next)))
    return 0;
  if (r->reported && ahead == 0)
    lost = base - r->next;
  r->reported = TRUE;
  r->next = base + count;
  r->next_report = number + 1;
  return lost;
}

// chunk reads one chunk of packets' states in a TWCC report and returns how many packets it tells of, at most left. The times of those
// packets follow later in the report: *bytes grows by their length.
static guint chunk(guint16 c, guint left, gsize *bytes) {
  static const guint8 size[] = {0, 1, 2, 0}; // bytes of a time, by state
  if (!(c & 0x8000)) {
    guint n = MIN(c & 0x1fff, left);
    *bytes += n * size[c >> 13 & 3];
    return n;
  }
  guint bits = c & 0x4000 ? 2 : 1, n = MIN(14 / bits, left);
  for (guint i = 0; i < n; i++)
    *bytes += size[c >> (14 - bits * (i + 1)) & (bits == 2 ? 3 : 1)];
  return n;
}

// twcc reads a TWCC report (draft-holmer-rmcat-transport-wide-cc-extensions-01). FALSE when the report is not whole.
static gboolean twcc(Rtcp *r, const guint8 *fci, gsize size, Cost *a) {
  if (size < TWCC_LEAST)
    return FALSE;
  guint count = GST_READ_UINT16_BE(fci + 2), read = 0;
  gsize at = TWCC_HEADER, times = 0;
  for (; read < count && at + 2 <= size; at += 2) {
    guint n = chunk(GST_READ_UINT16_BE(fci + at), count - read, &times);
    if (n == 0)
      return FALSE;
    read += n;
  }
  if (read < count || times > size - at)
    return FALSE;
  a->fates += count + gap(r, GST_READ_UINT16_BE(fci), (guint16)count, fci[7]);
  return TRUE;
}

static gboolean rtpfb(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  if (p->size < FB_LEAST)
    return FALSE;
  if (p->count == RTPFB_TWCC)
    return twcc(r, p->data + FB_LEAST, p->size - FB_LEAST, a);
  a->keyframes += p->count == RTPFB_SR_REQ; // rtpsession makes an event of it too
  for (gsize at = FB_LEAST; p->count == RTPFB_NACK && at < p->size; at += 4)
    a->nacks += 1 + __builtin_popcount(GST_READ_UINT16_BE(p->data + at + 2));
  return TRUE;
}

static gboolean psfb(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  if (p->size < FB_LEAST)
    return FALSE;
  if (p->count == PSFB_PLI)
    a->keyframes++;
  if (p->count == PSFB_FIR)
    a->keyframes += MAX(1, (p->size - FB_LEAST) / FIR_ENTRY);
  return TRUE;
}

static const struct {
  guint8 type;
  gboolean (*read)(Rtcp *, Senders *, const Part *, Cost *);
} parts[] = {{TYPE_SR, sr}, {TYPE_RR, rr}, {TYPE_SDES, sdes}, {TYPE_BYE, bye}, {TYPE_RTPFB, rtpfb}, {TYPE_PSFB, psfb}};

// part_admits reads one packet. Of kinds that are not in the table rtpsession keeps nothing.
static gboolean part_admits(Rtcp *r, Senders *s, const Part *p, Cost *a) {
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    if (parts[i].type == p->data[1])
      return parts[i].read(r, s, p, a);
  return TRUE;
}

gboolean rtcp_admits(Rtcp *r, Senders *s, const guint8 *data, gsize size, int64_t now) {
  Rtcp then = *r; // a packet that is refused leaves no trace here, nor in rtpsession
  Cost a = {0};
  for (gsize at = 0; at < size;) { // each turn goes on by four bytes at least
    if (size - at < RTCP_HEADER)
      return FALSE;
    Part p = {data + at, 4 * (1 + (gsize)GST_READ_UINT16_BE(data + at + 2)), data[at] & 0x1f};
    if (data[at] >> 6 != 2 || p.size > size - at || !part_admits(&then, s, &p, &a))
      return FALSE;
    at += p.size;
  }
  if (size == 0 || !budget_takes(&then.nacks, a.nacks, NACK_RATE, NACK_BURST, now) ||
      !budget_takes(&then.keyframes, a.keyframes, KEYFRAMES_RATE, KEYFRAMES_BURST, now) ||
      !budget_takes(&then.fates, a.fates, FATES_RATE, FATES_BURST, now))
    return FALSE;
  *r = then;
  return TRUE;
}
