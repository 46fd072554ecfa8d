// RTP of a fan's frames, and each viewer's own numbering of it.
#pragma once

#include "rtx.h"

typedef struct Payloader Payloader;

// payloader_new starts a payloader; payloader_packets makes a list of packets of a frame, NULL when it refuses. Of a broken one no packets
// come any more.
Payloader *payloader_new(const char *payloader);
gboolean payloader_broken(Payloader *p);
GstBufferList *payloader_packets(Payloader *p, GstBuffer *frame, GstCaps *caps);
void payloader_free(Payloader *p);

// Packets are how a fan's frames reach a viewer.
typedef struct {
  const char *payloader; // launch syntax
  int type;              // the payload type
  uint32_t ssrc;       // SSRC; 0 leaves it to webrtcbin
  int twcc_id;           // id of the header extension that numbers packets, 0 for none
  const char *twcc_caps; // caps of that
} Packets;

// packets_caps are those of what the pad was agreed to take, with the payload type; NULL when there are none.
GstCaps *packets_caps(GstPad *pad, const Packets *k);
// stamp_new makes a viewer's own numbering, by the caps of its packets (payload, clock-rate and ssrc); NULL when one is missing.
// It has references (g_atomic_rc_box_acquire). twcc_id is the id of the extension, 0 for none; r may be NULL.
Stamp *stamp_new(const GstCaps *caps, guint twcc_id, Rtx *r);
void stamp_unref(gpointer t);
// stamp_packets makes of a frame's packets the viewer's own, for the appsrc that stamp_watch was told of: one that is given a list
// which is not its own may read it (1.22) after it let go of it. NULL when none of them is RTP. Calls are made under the subscription's lock.
GstBufferList *stamp_packets(Stamp *t, GstBufferList *packets);
// stamp_split takes from a keyframe's packets all but the first, which goes alone (chromium.c); NULL where nothing is to be split.
GstBufferList *stamp_split(const Stamp *t, GstBufferList *packets);
void stamp_watch(Stamp *t, GstElement *src);
// stamp_waiting is how many frames have not left the appsrc.
gint stamp_waiting(Stamp *t);
uint16_t stamp_newest(Stamp *t);
// stamp_reported notes a report on packets of which the newest left at that time, in ns of the system's clock.
void stamp_reported(Stamp *t, int64_t sent);
