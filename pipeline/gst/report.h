// TWCC reports: which of its packets a viewer got, and when.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

typedef struct Rtx Rtx;     // rtx.h
typedef struct Stamp Stamp; // packets.h

// PacketFate is one packet in a report. mediaReports hands it to Go.
typedef struct {
  int64_t sent;    // ns of the system's clock
  int64_t arrived; // ns of the viewer's clock; 0 for a lost packet
  uint32_t seq;    // the transport-wide sequence number
  uint32_t size;   // bytes
  gboolean lost;
} PacketFate;

typedef struct {
  uintptr_t handle; // of the viewer
  int64_t at;       // ns of the system's clock, when the report came
  int count;
  PacketFate fates[];
} Report;

// Packets in one report: of a larger report the newest are kept. At 5 Mbit/s that is a second's, and a browser reports ten times a
// second.
enum { REPORT_PACKETS = 512 };

// report_watch tells r, t and Go of each report that comes up through this pad.
void report_watch(GstPad *pad, uintptr_t handle, Rtx *r, Stamp *t);
// report_extensions adds the header extensions to a caps event for the sending session. It takes the event's reference and returns one.
GstEvent *report_extensions(GstEvent *caps, const GstCaps *extensions);
