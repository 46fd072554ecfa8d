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

// Intake is what one viewer has sent and may send. It has references (g_atomic_rc_box_acquire).
typedef struct Intake Intake;
Intake *intake_new(uintptr_t handle);
void intake_unref(gpointer in);
// intake_take says of which payload types RTP is let in; at first it is of none.
void intake_take(Intake *in, const int *types, int n);
// intake_limit looks at what comes to an srtpdec: encrypted, but for the heads.
void intake_limit(Intake *in, GstElement *srtpdec);
// intake_session looks at the RTCP that comes to an rtpsession's pad.
void intake_session(Intake *in, GstPad *rtcp);
// intake_data looks at what comes to an sctpdec.
void intake_data(Intake *in, GstElement *sctpdec);
// intake_admits is the decision on one packet for srtpdec, of which the head is given.
gboolean intake_admits(Intake *in, const guint8 *head, gsize given, gsize size, int64_t now);
// intake_link says that what comes out of srtpdec goes on, which intake_limit else finds out.
void intake_link(Intake *in);
