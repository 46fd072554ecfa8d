// SCTP as sctpdec gets it: data channels.
#pragma once

#include <gst/gst.h>

// CHANNELS is how many data channels a connection has in its whole life, ours included.
enum { CHANNELS = 4 };

typedef struct {
  int n;
  struct {
    guint16 id;
    gboolean closed; // by the other side; data on it opens another
  } known[CHANNELS];
  gboolean ending; // the association is being shut down
} Streams;

typedef enum { DATA_FITS, DATA_MALFORMED, DATA_TOO_MANY } DataVerdict;

// data_check decides on one packet.
DataVerdict data_check(Streams *s, const guint8 *data, gsize size);
