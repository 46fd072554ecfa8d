// How a viewer is sent packets again: an rtprtxsend of GStreamer's that is held to what retransmit.c decides.
#pragma once

#include "retransmit.h"

// Rtx is one viewer's. It has references (g_atomic_rc_box_acquire); its functions may be called on any thread.
typedef struct Rtx Rtx;
Rtx *rtx_new(void);
void rtx_unref(gpointer r);
// rtx_limit has r decide about each NACK that reaches the rtprtxsend.
void rtx_limit(Rtx *r, GstElement *rtprtxsend);
// rtx_reported takes a TWCC report of the viewer's.
void rtx_reported(Rtx *r, const Report *report);
// rtx_keyframe tells that the packet after the packet before begins a keyframe. before is counted as in rtx_sent.
void rtx_keyframe(Rtx *r, guint32 before);
// rtx_sent notes the newest packet that was made for the viewer. newest counts packets; its low 16 bits are the sequence number.
void rtx_sent(Rtx *r, guint32 newest);
// rtx_keyframe_sent tells that n packets of a keyframe have been sent; they are sent once more where that is wise. It is called on
// the thread that sends them.
void rtx_keyframe_sent(Rtx *r, guint ssrc, guint16 from, guint n);
// rtx_drop tells that a keyframe is to follow this packet: nothing is sent again up to it.
void rtx_drop(Rtx *r, guint16 newest);
// rtx_loss is the share of the viewer's packets that are lost; 0 before its first report.
double rtx_loss(Rtx *r);
// rtx_out is the pad that packets are sent again by, with a reference for the caller; NULL when there is none.
GstPad *rtx_out(Rtx *r);
// rtx_send sends n packets once more, from this sequence number on, as if each had been asked for.
void rtx_send(GstPad *out, guint ssrc, guint16 from, guint n);
