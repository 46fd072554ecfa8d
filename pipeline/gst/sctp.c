//go:build !nogst

// sctpdec makes a pad for each stream on which data comes. webrtcbin makes a data channel with four threads of each such pad, and asks
// nobody first. So each packet's chunks (RFC 9260) are read before sctpdec sees them. Three kinds of chunk make sctpdec add a pad:
// DATA, I-DATA (RFC 8260), and RE-CONFIG with a request to reset streams (RFC 6525).

#include "sctp.h"

// Layout in bytes, and types of chunks and parameters, from those three RFCs.
enum {
  COMMON_HEADER = 12,    // bytes before the first chunk
  CHUNK_DATA = 0,
  CHUNK_ABORT = 6,
  CHUNK_SHUTDOWN = 7,
  CHUNK_SHUTDOWN_ACK = 8,
  CHUNK_I_DATA = 64,
  CHUNK_RE_CONFIG = 130,
  DATA_STREAM = 8,       // where DATA and I-DATA have the stream's id
  DATA_LEAST = 16,       // the least DATA chunk
  RESET_OUTGOING = 13,   // the parameter of RE-CONFIG that names the sender's streams
  RESET_STREAMS = 16,    // where that parameter has its first stream's id
};

// opens notes data, or a reset, on a stream. While the association is shut down a new stream is refused: sctpdec would abort the whole
// program.
static DataVerdict opens(Streams *s, guint16 id, gboolean reset) {
  for (int i = 0; i < s->n; i++)
    if (s->known[i].id == id && !s->known[i].closed) {
      s->known[i].closed = reset;
      return DATA_FITS;
    }
  if (s->ending)
    return DATA_MALFORMED;
  if (s->n == CHANNELS)
    return DATA_TOO_MANY;
  s->known[s->n].id = id;
  s->known[s->n++].closed = reset;
  return DATA_FITS;
}

// resets looks at the parameters of a RE-CONFIG chunk.
static DataVerdict resets(Streams *s, const guint8 *chunk, gsize length) {
  for (gsize at = 4; at + 4 <= length;) {
    const guint8 *p = chunk + at;
    gsize size = GST_READ_UINT16_BE(p + 2);
    if (size < 4 || size > length - at)
      return DATA_MALFORMED;
    for (gsize i = RESET_STREAMS; GST_READ_UINT16_BE(p) == RESET_OUTGOING && i + 2 <= size; i += 2) {
      DataVerdict v = opens(s, GST_READ_UINT16_BE(p + i), TRUE);
      if (v != DATA_FITS)
        return v;
    }
    at += (size + 3) & ~(gsize)3;
  }
  return DATA_FITS;
}

static DataVerdict chunk_check(Streams *s, const guint8 *chunk, gsize length) {
  switch (chunk[0]) {
  case CHUNK_DATA:
  case CHUNK_I_DATA:
    return length < DATA_LEAST ? DATA_MALFORMED : opens(s, GST_READ_UINT16_BE(chunk + DATA_STREAM), FALSE);
  case CHUNK_RE_CONFIG:
    return resets(s, chunk, length);
  case CHUNK_ABORT:
  case CHUNK_SHUTDOWN:
  case CHUNK_SHUTDOWN_ACK:
    s->ending = TRUE;
    return DATA_FITS;
  }
  return DATA_FITS;
}

DataVerdict data_check(Streams *s, const guint8 *data, gsize size) {
  if (size < COMMON_HEADER)
    return DATA_MALFORMED;
  for (gsize at = COMMON_HEADER; at + 4 <= size;) { // each turn is at least four bytes further on
    gsize length = GST_READ_UINT16_BE(data + at + 2);
    if (length < 4 || length > size - at)
      return DATA_MALFORMED;
    DataVerdict v = chunk_check(s, data + at, length);
    if (v != DATA_FITS)
      return v;
    at += (length + 3) & ~(gsize)3;
  }
  return DATA_FITS;
}
