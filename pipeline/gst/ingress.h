// What a viewer may send. What it sends beyond is dropped before an element of GStreamer keeps something of it: a source of RTP
// costs rtpbin a jitter buffer with a thread, one of RTCP 25 kB, a data channel four threads.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// Senders are the sources (SSRC) that a viewer has named so far, of RTP and of RTCP together.
enum { SENDERS = 8, RTP_SENDERS = 4 };

typedef struct {
  int n, rtp;
  struct {
    guint32 ssrc;
    gboolean rtp;
  } known[SENDERS];
} Senders;

// senders_admit notes a source; FALSE when it would be one too many.
gboolean senders_admit(Senders *s, guint32 ssrc, gboolean rtp);

// Budget is what may come: rate a second, and at most burst at once.
typedef struct {
  double left;
  int64_t at; // us, of the last look; 0 for none yet
} Budget;

// budget_takes takes n of the budget; FALSE, and nothing taken, when there is not enough.
gboolean budget_takes(Budget *b, double n, double rate, double burst, int64_t now);

// Ingress is what one viewer has sent and may send. It has references (g_atomic_rc_box_acquire).
typedef struct Ingress Ingress;
Ingress *ingress_new(uintptr_t handle);
void ingress_unref(gpointer in);
// ingress_allow says of which payload types RTP is let in; at first it is of none.
void ingress_allow(Ingress *in, const int *types, int n);
// ingress_watch_srtp looks at what comes to an srtpdec: encrypted, but for the headers.
void ingress_watch_srtp(Ingress *in, GstElement *srtpdec);
// ingress_watch_rtcp looks at the RTCP that comes to an rtpsession's pad.
void ingress_watch_rtcp(Ingress *in, GstPad *rtcp);
// ingress_watch_sctp looks at what comes to an sctpdec.
void ingress_watch_sctp(Ingress *in, GstElement *sctpdec);
// ingress_admits is the decision on one packet for srtpdec, of which the header is given.
gboolean ingress_admits(Ingress *in, const guint8 *header, gsize given, gsize size, int64_t now);
// ingress_linked says that what comes out of srtpdec goes on, which ingress_watch_srtp else finds out.
void ingress_linked(Ingress *in);
