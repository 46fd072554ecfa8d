// The ingress filter's look at RTCP in the clear, as rtpsession gets it.
#pragma once

#include "ingress.h"

// Rtcp is what one viewer's RTCP may still ask for, and what rtpsession remembers of it.
typedef struct {
  Budget nacks;       // packets asked for again
  Budget keyframes;   // keyframe requests
  Budget fates;       // packets that TWCC reports tell of
  gboolean reported;  // a TWCC report has come
  guint16 next;       // the packet that rtpsession expects the next report to begin with
  guint8 next_report; // the number that it expects the next report to have
} Rtcp;

// rtcp_admits decides on a compound packet. FALSE for one that is malformed, that brings one SSRC too many, or that asks for more than
// a viewer may. now is in us.
gboolean rtcp_admits(Rtcp *r, Senders *s, const guint8 *data, gsize size, int64_t now);
