// RTCP in the clear, as rtpsession gets it.
#pragma once

#include "ingress.h"

// Rtcp is what a viewer's RTCP has used up.
typedef struct {
  Budget nacks, keyframes, fates;
  gboolean reported;    // a report on arrivals has come,
  guint16 next;         // and rtpsession takes it that the next begins with this packet,
  guint8 next_report;   // and has this number
} Rtcp;

// rtcp_admits decides on a compound packet: FALSE for one that is malformed, that names a source too many, or that asks for more
// than a viewer may.
gboolean rtcp_admits(Rtcp *r, Senders *s, const guint8 *data, gsize size, int64_t now);
