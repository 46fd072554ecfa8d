// The insides of fans and subscriptions, for fan.c and subscription.c alone.
//
// Two locks: a fan's is taken first, a subscription's second, never the other way round.
#pragma once

#include "subscription.h"

struct Subscription {
  GMutex lock;           // guards all else
  Fan *fans[2];          // the fans that list this subscription. Its Go owner changes them, in one call at a time.
  int at;                // index in fans of the fan that feeds the subscription
  gboolean moving;       // the subscription is moving to the other fan, which takes over with its next keyframe
  uintptr_t handle;      // of the fan that feeds it
  GstAppSrc *src;
  GstCaps *caps;         // the caps that src was last given
  Stamp *stamp;          // of a viewer that gets packets, else NULL
  gchar *payloader_text; // what makes those packets
  guint max;             // frames that may wait in src, 0 for no bound here
  struct {
    gboolean unconnected;    // gets nothing yet
    gboolean wait_keyframe;  // gets nothing before the next keyframe
    gboolean keyframes_only; // gets keyframes alone
  } gate;
  SubscriptionCount count;
};

struct Fan {
  gint refs;             // atomic
  GMutex lock;           // guards all below. It is held while the list changes, and while one frame is handed round.
  GPtrArray *subscriptions;
  gboolean coded;
  uintptr_t handle;
  FanCount count;
  guint64 serial;        // of the stage that fills the fan, 0 for none
  GstCaps *caps;         // of the newest frame
  Payloader *payloader;  // NULL before the first subscription with a stamp
  gchar *payloader_text; // what the payloader is made of
  guint refused;         // how many frames in a row gave no packets
  struct {
    GstBufferList *packets; // of the newest keyframe while it is fresh, else NULL
    int64_t us;             // g_get_monotonic_time() of that keyframe
  } fresh;
};

// us: for this long a keyframe is fresh. Viewers that connect soon after one another share the first one's keyframe, since the encoder
// makes the next one half a second later at the earliest (keyInterval in Go).
enum { FRESH_US = 500000 };

// fan_has_payloader makes the fan's payloader if there is none; FALSE when there is no such element.
gboolean fan_has_payloader(Fan *f, const char *payloader_text);
// The next three are called under both locks. *want_keyframe is set when the subscription waits for a keyframe from now on.
//
// subscription_admits decides whether the subscription gets a frame of the fan. delta is TRUE for a frame that is no keyframe.
gboolean subscription_admits(Subscription *s, Fan *f, gboolean delta, gboolean *want_keyframe);
// subscription_push gives the subscription a frame.
void subscription_push(Subscription *s, GstBuffer *buf, GstCaps *caps);
// subscription_push_packets gives the subscription a frame's packets; NULL for a frame of which none could be made.
void subscription_push_packets(Subscription *s, Fan *f, GstBufferList *packets, gboolean *want_keyframe);
