// A fan: one producer's frames are handed to any number of subscriptions.
#pragma once

#include "packets.h"

#include <gst/app/app.h>

// Fan has references: its Go owner's, each subscription's, and each stage's that fills it. A stage whose driver is stuck never gives
// its reference back, so it never writes to freed memory.
typedef struct Fan Fan;

typedef struct {
  uint64_t frames, bytes, keyframes; // since the fan was made
  uint64_t keyframe_bytes;           // of the newest keyframe
  int64_t last_us;                   // g_get_monotonic_time() of the newest frame, 0 for none yet
} FanCount;

// fan_new makes a fan of coded or of raw frames. handle is known to Go, which is told there when a keyframe is wanted.
Fan *fan_new(gboolean coded, uintptr_t handle);
Fan *fan_ref(Fan *f);
void fan_unref(Fan *f);
void fan_count(Fan *f, FanCount *out);
// fan_consumers is how many subscriptions the fan has.
guint fan_consumers(Fan *f);
// fan_caps are the caps of the newest frame, which the caller frees; NULL before the first.
gchar *fan_caps(Fan *f);

// Taken is what became of a stage's frame.
typedef enum {
  TAKEN,
  TAKEN_FIRST,   // the fan takes its frames from this stage from now on
  TAKEN_REFUSED, // no packets can be made of this frame, nor of several before
} Taken;

// fan_take takes the frame that sink holds and hands it on, on the calling thread. serial is the number of the stage: a stage that
// starts later has a higher one. Once a stage has made a frame, the fan drops the frames of all stages with lower serials, until
// fan_release. While *muted is TRUE the frame is dropped.
Taken fan_take(Fan *f, GstAppSink *sink, guint64 serial, const gint *muted);
// fan_release tells that the stage with this serial makes no more frames: an earlier one may fill the fan again.
void fan_release(Fan *f, guint64 serial);
