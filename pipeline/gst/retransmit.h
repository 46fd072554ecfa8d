// What a viewer is sent again.
#pragma once

#include "report.h"

// Retransmission bounds what a viewer is sent again, by what its reports say. It has references (g_atomic_rc_box_acquire).
typedef struct Retransmission Retransmission;
Retransmission *retransmission_new(void);
void retransmission_unref(gpointer r);
// retransmission_learn takes what a report says of the time that one takes, and of how much arrives.
void retransmission_learn(Retransmission *r, const Report *report);
// retransmission_first_packet sends the first packet of a keyframe, which has just been sent, once or twice more where packets are lost, before
// the next one goes: it waits until they have left, for some milliseconds at most. Calls are made on the thread that sends.
void retransmission_first_packet(Retransmission *r, guint ssrc, uint16_t seq);
// retransmission_keyframe_again sends n packets from that number on, of a keyframe that has just been sent, once more where that is wise.
void retransmission_keyframe_again(Retransmission *r, guint ssrc, uint16_t from, guint n);
// retransmission_forget leaves what was sent up to the packet of that number: a keyframe is to follow, and what else is on its way is to
// leave room for it.
void retransmission_forget(Retransmission *r, uint16_t newest);
// retransmission_keyframe tells r that a keyframe follows the packet of that number.
void retransmission_keyframe(Retransmission *r, uint16_t before);
// retransmission_limit lets an rtprtxsend send again what r allows.
void retransmission_limit(GstElement *rtx, Retransmission *r);
