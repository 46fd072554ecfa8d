// What a viewer is sent again.
#pragma once

#include "report.h"

// Resent bounds what a viewer is sent again, by what its reports say. It has references (g_atomic_rc_box_acquire).
typedef struct Resent Resent;
Resent *resent_new(void);
void resent_unref(gpointer r);
// resent_learn takes what a report says of the time that one takes, and of how much arrives.
void resent_learn(Resent *r, const Report *report);
// resent_first sends the first packet of a keyframe, which has just been sent, once or twice more where packets are lost, before
// the next one goes: it waits until they have left, for some milliseconds at most. Calls are made on the thread that sends.
void resent_first(Resent *r, guint ssrc, uint16_t seq);
// resent_again sends n packets from that number on, of a keyframe that has just been sent, once more where that is wise.
void resent_again(Resent *r, guint ssrc, uint16_t from, guint n);
// resent_forget leaves what was sent up to the packet of that number: a keyframe is to follow, and what else is on its way is to
// leave room for it.
void resent_forget(Resent *r, uint16_t newest);
// resent_key tells r that a keyframe follows the packet of that number.
void resent_key(Resent *r, uint16_t before);
// resend_limit lets an rtprtxsend send again what r allows.
void resend_limit(GstElement *rtx, Resent *r);
