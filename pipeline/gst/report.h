// What a viewer reports of the packets that it got.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

typedef struct Rtx Rtx;     // rtx.h
typedef struct Stamp Stamp; // packets.h

// PacketFate is one packet of a viewer's report, which mediaReports hands to Go: times in ns, arrived by the viewer's clock.
typedef struct {
  int64_t sent, arrived;
  uint32_t seq, size;
  gboolean lost;
} PacketFate;

typedef struct {
  uintptr_t handle; // of the viewer
  int64_t at;
  int count;
  PacketFate fates[];
} Report;

// REPORT_PACKETS bounds a report; of a larger one the newest are kept.
enum { REPORT_PACKETS = 512 };

// report_watch tells r, t and Go of each report that comes up through the pad.
void report_watch(GstPad *pad, uintptr_t handle, Rtx *r, Stamp *t);
// report_extensions completes a caps event of the sending session with the header extensions, of which it takes charge.
GstEvent *report_extensions(GstEvent *caps, const GstCaps *extensions);
