// The ingress filter's look at SCTP, which carries data channels, as sctpdec gets it.
#pragma once

#include <gst/gst.h>

// Data channels that a connection may have in its whole life, ours included: a page uses one, and may open it anew.
enum { CHANNELS = 4 };

typedef struct {
  int n;
  struct {
    guint16 id;
    gboolean closed; // by the viewer; data on that stream opens another channel
  } known[CHANNELS];
  gboolean ending;   // the association is being shut down
} Streams;

typedef enum { DATA_FITS, DATA_MALFORMED, DATA_TOO_MANY } DataVerdict;

// data_check decides on one SCTP packet.
DataVerdict data_check(Streams *s, const guint8 *data, gsize size);
