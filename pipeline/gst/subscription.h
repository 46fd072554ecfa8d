// A subscription: one consumer's part in a fan.
#pragma once

#include "fan.h"

typedef struct Subscription Subscription;

typedef struct {
  uint64_t pushed, dropped; // frames
  uint64_t bytes;           // of the packets that were pushed
} SubscriptionCount;

// fan_subscribe has the fan's frames pushed to the appsrc src, on which the subscription holds a reference.
//
// Where max frames wait in src, a frame is dropped, and of a coded fan all frames up to the next keyframe; max 0 leaves the bound to
// src. An unconnected subscription gets nothing before subscription_start. With a stamp it gets packets: the payloader, in launch
// syntax and the same for all subscriptions of a fan, makes them. NULL when there is no such payloader.
Subscription *fan_subscribe(Fan *f, GstElement *src, guint max, gboolean unconnected, const char *payloader, Stamp *stamp);
// subscription_start tells that the viewer is connected. The viewer gets the newest keyframe at once if that is fresh, and all frames
// from the next keyframe on.
void subscription_start(Subscription *s);
// subscription_keyframes_only has keyframes alone pushed, or again all frames, from the next keyframe on.
void subscription_keyframes_only(Subscription *s, gboolean keyframes_only);
// subscription_move moves the subscription to another coded fan. The old fan feeds it until the new fan's next keyframe; from there on
// the new fan does, with all frames. A move that is not finished is given up for this one.
void subscription_move(Subscription *s, Fan *f);
// subscription_moved is FALSE as long as a move is not finished.
gboolean subscription_moved(Subscription *s);
void subscription_count(Subscription *s, SubscriptionCount *out);
void subscription_free(Subscription *s);
