// The ingress filter: what a viewer may send. A packet beyond that is dropped before an element of GStreamer keeps anything of it. An
// SSRC of RTP costs a jitter buffer with a thread (rtpbin), an SSRC of RTCP 25 kB (rtpsession), a data channel four threads.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// SSRCs that one viewer may use in its whole life, in RTP and RTCP together: twice RTP_SENDERS, more than a browser uses.
enum { SENDERS = 8 };
// SSRCs among them that may send RTP: one for the picture and one for the sound, and two more for a browser that begins both anew.
enum { RTP_SENDERS = 4 };

// Senders are the SSRCs that a viewer has used so far.

typedef struct {
  int n;   // entries of known
  int rtp; // how many of them send RTP
  struct {
    guint32 ssrc;
    gboolean rtp; // sends RTP
  } known[SENDERS];
} Senders;

// senders_admit notes an SSRC; FALSE when it would be one too many.
gboolean senders_admit(Senders *s, guint32 ssrc, gboolean rtp);

// Budget is how much more may come: what is used up comes back at a rate, up to a burst.
typedef struct {
  double left;
  int64_t at; // us, when left was last counted; 0 for not yet
} Budget;

// budget_takes takes n from the budget. FALSE, and nothing is taken, when less is left. rate is a second's, now in us.
gboolean budget_takes(Budget *b, double n, double rate, double burst, int64_t now);

// Ingress is one viewer's filter. It has references (g_atomic_rc_box_acquire).
typedef struct Ingress Ingress;
Ingress *ingress_new(uintptr_t handle);
void ingress_unref(gpointer in);
// ingress_allow sets the payload types whose RTP is let in. Before the first call no RTP is let in.
void ingress_allow(Ingress *in, const int *types, int n);
// ingress_watch_srtp filters what comes to an srtpdec. Of such packets only the header is in the clear.
void ingress_watch_srtp(Ingress *in, GstElement *srtpdec);
// ingress_watch_rtcp filters the RTCP, in the clear, that comes to this pad of an rtpsession.
void ingress_watch_rtcp(Ingress *in, GstPad *rtcp);
// ingress_watch_sctp filters what comes to an sctpdec.
void ingress_watch_sctp(Ingress *in, GstElement *sctpdec);
// ingress_admits decides on one packet for srtpdec. header is its beginning, given bytes of it; size is the whole packet's; now in us.
gboolean ingress_admits(Ingress *in, const guint8 *header, gsize given, gsize size, int64_t now);
// ingress_linked tells that the packets that come out of srtpdec find a way on. Otherwise ingress_watch_srtp finds that out.
void ingress_linked(Ingress *in);
