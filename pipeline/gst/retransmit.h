// The decision what a viewer is sent again. It has no clock, no lock and no element of GStreamer: rtx.c gives it the time, holds a
// lock around each call, and sends the packets.
#pragma once

#include "report.h"

// How many packets are remembered with the time of their NACK: webrtcbin keeps 500 packets of a viewer, and no others can be sent.
enum { REMEMBERED = 512 };

// Retransmission is one viewer's link and budget, and what its viewer has asked for.
typedef struct {
  struct {           // what the viewer's TWCC reports tell of its link
    int64_t heard;   // ns, when the newest report came; 0 for none yet
    int64_t rtt;     // us, from the newest packet of a report to that report
    double rate;     // bytes/s that arrive
    double size;     // bytes of a packet
    double loss;     // share of the packets that are lost
  } link;
  struct {
    double left;     // bytes that may be sent again now
    double burst;    // bytes, the most that may be left
  } budget;
  guint32 newest;      // the newest packet that was sent; its low 16 bits are the sequence number
  struct {
    gboolean sent;     // FALSE before the first keyframe
    guint32 before;    // number before the newest keyframe's first, counted as newest is
    int64_t requested; // us, when a keyframe was last requested for a packet that was asked for in vain
  } keyframe;
  struct {
    guint16 newest;  // this packet, and all before it, are not sent again until the time below
    int64_t until;   // us; 0 when there was no drop yet
  } dropped;
  struct {
    guint ssrc, seq;
    int64_t first;   // us, when the packet was first asked for; 0 for an empty entry
    int64_t sent;    // us, when it was last sent again; 0 for not yet
  } asked[REMEMBERED];
} Retransmission;

// NackAnswer is what is done about a packet that a viewer asks for.
typedef struct {
  int copies;        // how often the packet is sent again, at once
  gboolean keyframe; // whether a keyframe is requested, since the packet was asked for in vain
} NackAnswer;

void retransmission_init(Retransmission *r);
// retransmission_reported learns from a TWCC report what the link loses, how long a report takes, and what may be sent again.
void retransmission_reported(Retransmission *r, const Report *report);
// retransmission_nack decides about one packet that the viewer asks for.
NackAnswer retransmission_nack(Retransmission *r, guint ssrc, guint seq, int64_t now);
// retransmission_keyframe notes that the next packet after this sequence number begins a keyframe.
void retransmission_keyframe(Retransmission *r, guint32 before);
// retransmission_sent notes the newest packet that was sent. A sequence number of a NACK is of a packet before this one.
void retransmission_sent(Retransmission *r, guint32 newest);
// retransmission_keyframe_again decides whether n packets of a keyframe, which have just been sent, are sent once more unasked.
gboolean retransmission_keyframe_again(Retransmission *r, guint ssrc, guint16 from, guint n, int64_t now);
// retransmission_drop notes that a keyframe is to follow this packet: for two seconds nothing is sent again up to it, so that the
// keyframe finds room on the link.
void retransmission_drop(Retransmission *r, guint16 newest, int64_t now);
