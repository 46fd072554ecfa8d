//go:build e2e && !nogst

package gst

// What the tests ask of C. Tests cannot use cgo themselves, so this is no test file.

/*
#include "ingress.h"
#include "twcc.h"
#include "packets.h"
#include "retransmit.h"
#include "rtcp.h"
#include "sctp.h"
#include "subscription.h"
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

typedef int (*Random)(int level, void *data, size_t length);

static gpointer ask_for_random(gpointer f) {
  guint8 bytes[16];
  ((Random)f)(0, bytes, sizeof bytes);
  return NULL;
}

static gsize heap_in_use(void) {
#if __GLIBC_PREREQ(2, 33)
  return mallinfo2().uordblks;
#else
  return (gsize)mallinfo().uordblks;
#endif
}

// gnutls_keeps measures how many bytes GnuTLS keeps for a thread that has asked for random bytes and has ended. The threads ask GnuTLS's
// own function, not ours (gnutls.c). *version is NULL when there is no GnuTLS.
static long gnutls_keeps(const char **version) {
  enum { THREADS = 300, ROUNDS = 3 };
  void *library = dlopen("libgnutls.so.30", RTLD_NOW | RTLD_LOCAL);
  void *random = library ? dlsym(library, "gnutls_rnd") : NULL;
  const char *(*check)(const char *) = library ? (const char *(*)(const char *))dlsym(library, "gnutls_check_version") : NULL;
  long most = 0;
  *version = random && check ? check(NULL) : NULL;
  for (int round = 0; *version && round < ROUNDS; round++) { // the most of several rounds: in some, other threads free memory meanwhile
    g_thread_join(g_thread_new("first", ask_for_random, random));
    gsize before = heap_in_use();
    for (int i = 0; i < THREADS; i++)
      g_thread_join(g_thread_new("random", ask_for_random, random));
    most = MAX(most, ((long)heap_in_use() - (long)before) / THREADS);
  }
  return most;
}

static Subscription *subscription_crafted(Fan *f, GstElement *pipe, guint max, const char *payloader, const char *packets) {
  GstElement *src = gst_bin_get_by_name(GST_BIN(pipe), "in");
  GstCaps *caps = gst_caps_from_string(packets);
  Stamp *stamp = stamp_new(caps, 0, NULL);
  stamp_watch(stamp, src);
  Subscription *s = fan_subscribe(f, src, max, TRUE, payloader, stamp);
  subscription_start(s);
  stamp_unref(stamp);
  gst_caps_unref(caps);
  gst_object_unref(src);
  return s;
}

// reported gives r a TWCC report on packets of 1,000 bytes each: packets is how many were sent, and lost how many of them were lost.
static void reported(Retransmission *r, int64_t now_us, int64_t rtt_us, int packets, int lost) {
  Report *report = g_malloc0(sizeof *report + packets * sizeof *report->fates);
  report->at = now_us * 1000;
  report->count = packets;
  for (int i = 0; i < packets; i++)
    report->fates[i] = (PacketFate){.sent = (now_us - rtt_us) * 1000, .size = 1000, .lost = i < lost};
  retransmission_reported(r, report);
  g_free(report);
}

static guint session_sources(GstElement *rtpsession) {
  GObject *session = NULL;
  guint n = 0;
  g_object_get(rtpsession, "internal-session", &session, NULL);
  g_object_get(session, "num-sources", &n, NULL);
  g_object_unref(session);
  return n;
}

static void open_channel(GstElement *pipe, const char *label) {
  GstElement *w = gst_bin_get_by_name(GST_BIN(pipe), "webrtc");
  GObject *channel = NULL;
  g_signal_emit_by_name(w, "create-data-channel", label, NULL, &channel);
  g_clear_object(&channel);
  gst_object_unref(w);
}
*/
import "C"

import (
	"time"
	"unsafe"

	"github.com/go-gst/go-gst/gst"

	"boardcast/pipeline"
)

// srtpFilter is the ingress filter before srtpdec.
type srtpFilter struct{ c *C.Ingress }

func newSRTPFilter(types ...int) srtpFilter {
	h := srtpFilter{C.ingress_new(0)}
	h.take(types...)
	C.ingress_linked(h.c)
	return h
}

func (h srtpFilter) take(types ...int) {
	c := make([]C.int, len(types))
	for i, t := range types {
		c[i] = C.int(t)
	}
	C.ingress_allow(h.c, unsafe.SliceData(c), C.int(len(c)))
}

func (h srtpFilter) admits(header []byte, size int, at time.Duration) bool {
	return C.ingress_admits(h.c, bytesOf(header), C.gsize(len(header)), C.gsize(size), C.int64_t(at.Microseconds()+1)) != 0
}

func (h srtpFilter) free() { C.ingress_unref(C.gpointer(h.c)) }

func bytesOf(b []byte) *C.guint8 { return (*C.guint8)(unsafe.SliceData(b)) }

// rtcpFilter is the ingress filter before rtpsession.
type rtcpFilter struct {
	rtcp    C.Rtcp
	senders C.Senders
}

func (c *rtcpFilter) admits(data []byte, at time.Duration) bool {
	return C.rtcp_admits(&c.rtcp, &c.senders, bytesOf(data), C.gsize(len(data)), C.int64_t(at.Microseconds()+1)) != 0
}

// How many SSRCs and data channels a viewer may have.
const (
	senders     = C.SENDERS
	rtpSenders  = C.RTP_SENDERS
	maxChannels = C.CHANNELS
)

// sctpFilter is the ingress filter before sctpdec.
type sctpFilter struct{ c C.Streams }

const (
	fits      = C.DATA_FITS
	malformed = C.DATA_MALFORMED
	tooMany   = C.DATA_TOO_MANY
)

func (c *sctpFilter) check(data []byte) int {
	return int(C.data_check(&c.c, bytesOf(data), C.gsize(len(data))))
}

// twccNumbering decides which packets get a transport-wide sequence number.
type twccNumbering struct{ c C.Twcc }

func (n *twccNumbering) numbered(at time.Duration) bool {
	return C.twcc_number(&n.c, C.int64_t(at.Microseconds())) != 0
}

func (n *twccNumbering) reported(at time.Duration) {
	C.twcc_reported(&n.c, C.int64_t(at.Microseconds()))
}

// retransmission decides what is sent again, at the times that it is told.
type retransmission struct{ c C.Retransmission }

func newRetransmission() *retransmission {
	r := &retransmission{}
	C.retransmission_init(&r.c)
	return r
}

// report tells of packets of 1,000 bytes, of which some were lost.
func (r *retransmission) report(at, rtt time.Duration, packets, lost int) {
	C.reported(&r.c, C.int64_t(at.Microseconds()), C.int64_t(rtt.Microseconds()), C.int(packets), C.int(lost))
}

func (r *retransmission) nack(at time.Duration, seq uint16) (copies int, keyframe bool) {
	a := C.retransmission_nack(&r.c, 7, C.guint(seq), C.int64_t(at.Microseconds()))
	return int(a.copies), a.keyframe != 0
}

// keyframe notes that a keyframe of so many packets was sent. before is the sequence number of the packet before the keyframe.
func (r *retransmission) keyframe(before uint16, packets int) {
	C.retransmission_keyframe(&r.c, C.guint32(before))
	C.retransmission_sent(&r.c, C.guint32(int(before)+packets))
}

func (r *retransmission) keyframeAgain(at time.Duration, from uint16, packets int) bool {
	return C.retransmission_keyframe_again(&r.c, 7, C.guint16(from), C.guint(packets), C.int64_t(at.Microseconds())) != 0
}

func (r *retransmission) drop(at time.Duration, newest uint16) {
	C.retransmission_drop(&r.c, C.guint16(newest), C.int64_t(at.Microseconds()))
}

// gnutlsKeeps is how many bytes GnuTLS keeps for each thread that asked for random bytes and has ended, and its version.
func gnutlsKeeps() (bytes int, version string) {
	var v *C.char
	kept := C.gnutls_keeps(&v)
	return int(kept), C.GoString(v)
}

// openChannel opens a data channel behind the back of channels.c, as a page would that misbehaves.
func openChannel(p *peer, label string) {
	l, free := cString(label)
	defer free()
	C.open_channel(p.pipe.c(), l)
}

// consumers is how many subscriptions a fan has.
func consumers(f *fan) int { return int(C.fan_consumers(f.c)) }

// consumer is a subscription that gets packets, and the pipeline of its appsrc.
type consumer struct {
	subscription *C.Subscription
	pipe         pipe
}

// consume subscribes the appsrc "in" of a pipeline to a fan. At most that many frames may wait in it, 0 for no bound.
func consume(f *fan, p pipe, most int, payloader pipeline.Node) consumer {
	pay, free := cString(payloader.String())
	defer free()
	caps, freeCaps := cString("application/x-rtp,payload=96,clock-rate=90000,ssrc=(uint)7")
	defer freeCaps()
	return consumer{C.subscription_crafted(f.c, p.c(), C.guint(most), pay, caps), p}
}

func (c consumer) count() (pushed, dropped int) {
	var n C.SubscriptionCount
	C.subscription_count(c.subscription, &n)
	return int(n.pushed), int(n.dropped)
}

func (c consumer) free() { C.subscription_free(c.subscription) }

// sources is how many SSRCs these sessions keep, ours included.
func sources(sessions []*gst.Element) (n int) {
	for _, s := range sessions {
		n += int(C.session_sources((*C.GstElement)(s.Unsafe())))
	}
	return n
}
