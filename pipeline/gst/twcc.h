// Which of a viewer's packets are numbered for its reports.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

enum { MARK_EACH = 64, MARKS = 128 }; // more than UNREPORTED packets

// Twcc counts the packets that were numbered. Its calls are made on any thread.
typedef struct {
  GMutex lock;
  guint64 given, reported; // packets: numbered, and up to the newest that was reported
  int64_t last;            // us, when the newest was numbered
  struct {
    int64_t at;
    guint64 given;
  } marks[MARKS]; // the newest
  guint mark;     // how many there have been
} Twcc;

// twcc_number decides whether the next packet is numbered.
gboolean twcc_number(Twcc *n, int64_t now);
// twcc_reported notes that a packet has been reported that left at that time.
void twcc_reported(Twcc *n, int64_t sent);
