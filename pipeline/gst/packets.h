// RTP packets: a payloader makes them of a fan's frames, once for all viewers, and a stamp makes them one viewer's own.
#pragma once

#include "rtx.h"

typedef struct Payloader Payloader;

// payloader_new starts a payloader, given in launch syntax; NULL when there is no such element.
Payloader *payloader_new(const char *payloader);
// payloader_packets makes a list of packets of a frame; NULL when the payloader makes none of it.
GstBufferList *payloader_packets(Payloader *p, GstBuffer *frame, GstCaps *caps);
// payloader_broken tells whether the payloader has returned an error. It makes no packets any more.
gboolean payloader_broken(Payloader *p);
void payloader_free(Payloader *p);

// Packets says which packets a viewer gets of a fan's frames.
typedef struct {
  const char *payloader; // launch syntax
  int type;              // the payload type of the viewer's packets
  uint32_t ssrc;         // 0 leaves it to webrtcbin
  int twcc_id;           // the TWCC extension id, 0 for none
  const char *twcc_caps; // the caps that name that extension
} Packets;

// packets_caps are the caps of the packets k, out of what the pad takes by the agreement; NULL when the pad takes none of that
// payload type.
GstCaps *packets_caps(GstPad *pad, const Packets *k);
// stamp_new makes a viewer's stamp of the caps of its packets: payload, clock-rate and ssrc. NULL when one of them is missing.
// twcc_id is the TWCC extension id, 0 for none. r sends the packets again; NULL where they never are. A stamp has references
// (g_atomic_rc_box_acquire).
Stamp *stamp_new(const GstCaps *caps, guint twcc_id, Rtx *r);
void stamp_unref(gpointer t);
// stamp_packets copies a frame's packets and makes the copies the viewer's own. The list is always a new one: an appsrc (1.22) may
// read a list after it has given its reference back. NULL when none of the packets is RTP. Calls are made under the lock of the
// viewer's subscription.
GstBufferList *stamp_packets(Stamp *t, GstBufferList *packets);
// stamp_split takes from a keyframe's packets all but the first, which goes alone (chromium.c); NULL where nothing is to be split.
GstBufferList *stamp_split(const Stamp *t, GstBufferList *packets);
// stamp_watch has t see each frame that leaves src, the appsrc that gets t's packets.
void stamp_watch(Stamp *t, GstElement *src);
// stamp_waiting is how many frames have been stamped and have not left the appsrc.
gint stamp_waiting(Stamp *t);
// stamp_newest is the sequence number of the newest packet.
uint16_t stamp_newest(Stamp *t);
// stamp_reported notes a TWCC report. sent is when the newest packet in it was sent, in ns of the system's clock.
void stamp_reported(Stamp *t, int64_t sent);
