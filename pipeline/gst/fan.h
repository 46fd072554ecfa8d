// Fans, and the subscriptions by which consumers get what comes in.
#pragma once

#include "packets.h"

#include <gst/app/app.h>

typedef struct Fan Fan;
typedef struct Subscription Subscription;

typedef struct {
  uint64_t frames, bytes, keyframes;
  uint64_t keyframe_bytes; // of the newest keyframe
  int64_t last_us;  // g_get_monotonic_time() of the newest buffer, 0 for none yet
} FanCount;

typedef struct {
  uint64_t pushed, dropped;
} SubscriptionCount;

Fan *fan_new(gboolean coded, uintptr_t handle);
Fan *fan_ref(Fan *f);
void fan_unref(Fan *f);
void fan_count(Fan *f, FanCount *out);
// fan_consumers is how many subscriptions the fan has.
guint fan_consumers(Fan *f);
// fan_caps is what the newest buffer was, NULL before the first; the caller frees it.
gchar *fan_caps(Fan *f);
typedef enum {
  TAKEN,
  TAKEN_FIRST,   // source is new to the fan
  TAKEN_REFUSED, // of many frames in a row no packets can be made
} Taken;

// fan_take hands on what sink holds, unless the stage is muted or a later one fills the fan.
Taken fan_take(Fan *f, GstAppSink *sink, guint64 serial, const gint *muted);
// fan_release lets an earlier stage fill the fan again.
void fan_release(Fan *f, guint64 serial);

// fan_subscribe adds a consumer; it holds a reference on src. A coded subscription starts paused; an appsrc that holds max buffers loses
// whole groups: everything up to the next keyframe. max 0 leaves the bound to the appsrc. One with a stamp gets packets, which
// the payloader (launch syntax, the same for all of a fan) makes; NULL when there is no such element.
Subscription *fan_subscribe(Fan *f, GstElement *src, guint max, gboolean unconnected, const char *payloader, Stamp *stamp);
// subscription_start ends the pause: a subscription that takes packets gets the newest keyframe at once if it is fresh, and all from the next one on.
void subscription_start(Subscription *s);
// subscription_keyframes_only gives the consumer of a coded fan keyframes only, or everything again, from the next keyframe on.
void subscription_keyframes_only(Subscription *s, gboolean keyframes_only);
// subscription_move lets another coded fan feed the consumer, with everything of it, from its next keyframe on; until then the one
// before does. A move that is under way is given up.
void subscription_move(Subscription *s, Fan *f);
// subscription_moved is FALSE while a move is under way.
gboolean subscription_moved(Subscription *s);
void subscription_count(Subscription *s, SubscriptionCount *out);
void subscription_free(Subscription *s);
