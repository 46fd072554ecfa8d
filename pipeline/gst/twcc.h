// Which of a viewer's packets get a transport-wide sequence number (TWCC), by which the viewer reports on them.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// Packets: the time of each 64th numbered packet is kept, so a report is matched to within 64 packets.
enum { MARK_EACH = 64 };
// How many of those times are kept: 128 times 64 packets are more than may be unreported (UNREPORTED in twcc.c).
enum { MARKS = 128 };

// Twcc counts one viewer's numbered packets. Its functions may be called on any thread.
typedef struct {
  GMutex lock;
  guint64 given;           // packets that were numbered
  guint64 reported;        // given at the time when the newest packet that a report has told of was numbered
  int64_t last;            // us, when the newest packet was numbered
  struct {
    int64_t at;    // us
    guint64 given; // as above, at that time
  } marks[MARKS];  // a ring of the newest
  guint mark;      // how many marks there have been in all
} Twcc;

// twcc_number decides whether the next packet is numbered. now is in us.
gboolean twcc_number(Twcc *n, int64_t now);
// twcc_reported notes a report on a packet that was sent at this time, in us.
void twcc_reported(Twcc *n, int64_t sent);
