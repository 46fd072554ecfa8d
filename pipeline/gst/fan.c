//go:build !nogst

// A fan hands each frame of an appsink to any number of appsrcs, on the thread that made the frame. It never waits for one of them. RTP
// packets are made of a frame once, when the first subscription of a viewer takes the frame.

#include "fan_inside.h"
#include "media.h"
#include "_cgo_export.h"

// If no packets can be made of this many frames in a row, the encoder is at fault, and its stage reports an error. After the first such
// frame all viewers wait for a keyframe, so each further one is a keyframe. Keyframes are forced every half second at most, so ten take
// five seconds.
enum { REFUSED = 10 };

static void fan_forget_keyframe(Fan *f) { g_clear_pointer(&f->fresh.packets, gst_buffer_list_unref); }

Fan *fan_new(gboolean coded, uintptr_t handle) {
  Fan *f = g_new0(Fan, 1);
  f->refs = 1;
  g_mutex_init(&f->lock);
  f->subscriptions = g_ptr_array_new();
  f->coded = coded;
  f->handle = handle;
  return f;
}

Fan *fan_ref(Fan *f) {
  g_atomic_int_inc(&f->refs);
  return f;
}

void fan_unref(Fan *f) {
  if (!g_atomic_int_dec_and_test(&f->refs))
    return;
  g_ptr_array_free(f->subscriptions, TRUE);
  fan_forget_keyframe(f);
  gst_clear_caps(&f->caps);
  g_clear_pointer(&f->payloader, payloader_free);
  g_free(f->payloader_text);
  g_mutex_clear(&f->lock);
  g_free(f);
}

void fan_count(Fan *f, FanCount *out) {
  g_mutex_lock(&f->lock);
  *out = f->count;
  g_mutex_unlock(&f->lock);
}

guint fan_consumers(Fan *f) {
  g_mutex_lock(&f->lock);
  guint n = f->subscriptions->len;
  g_mutex_unlock(&f->lock);
  return n;
}

gchar *fan_caps(Fan *f) {
  g_mutex_lock(&f->lock);
  GstCaps *caps = f->caps ? gst_caps_ref(f->caps) : NULL;
  g_mutex_unlock(&f->lock);
  gchar *text = caps ? gst_caps_to_string(caps) : NULL;
  gst_clear_caps(&caps);
  return text;
}

// fan_switch has the stage with this serial fill the fan, 0 for none. Another encoder's frames do not continue the ones before, so all
// subscriptions of a coded fan wait for a keyframe.
static void fan_switch(Fan *f, guint64 serial) {
  f->serial = serial;
  f->refused = 0;
  fan_forget_keyframe(f);
  for (guint i = 0; f->coded && i < f->subscriptions->len; i++) {
    Subscription *s = g_ptr_array_index(f->subscriptions, i);
    g_mutex_lock(&s->lock);
    s->gate.wait_keyframe |= s->fans[s->at] == f;
    g_mutex_unlock(&s->lock);
  }
}

void fan_release(Fan *f, guint64 serial) {
  g_mutex_lock(&f->lock);
  if (f->serial == serial)
    fan_switch(f, 0);
  g_mutex_unlock(&f->lock);
}

static void request_keyframe(Fan *f) { mediaEvent(f->handle, EV_KEYFRAME_REQUEST, 0, 0, NULL, 0); }

gboolean fan_has_payloader(Fan *f, const char *payloader_text) {
  g_mutex_lock(&f->lock);
  gboolean made = f->payloader != NULL;
  g_mutex_unlock(&f->lock);
  if (made)
    return TRUE;
  Payloader *p = payloader_new(payloader_text); // without the lock, which each frame takes: this loads a plugin
  g_mutex_lock(&f->lock);
  if (f->payloader == NULL) {
    f->payloader = g_steal_pointer(&p);
    f->payloader_text = f->payloader ? g_strdup(payloader_text) : NULL;
  }
  gboolean ready = f->payloader != NULL;
  g_mutex_unlock(&f->lock);
  g_clear_pointer(&p, payloader_free);
  return ready;
}

// restamp copies a frame, but not its memory. The copy's time stamp is the time since the epoch. The copy keeps the original alive:
// otherwise a capture driver would fill the original's memory again while a subscription still reads it.
static GstBuffer *restamp(GstElement *sink, GstBuffer *buf, GstSegment *segment) {
  GstClockTime rt = gst_segment_to_running_time(segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buf));
  GstClockTime base = gst_element_get_base_time(sink);
  GstBuffer *copy = gst_buffer_copy(buf);
  gst_buffer_add_parent_buffer_meta(copy, buf);
  if (GST_CLOCK_TIME_IS_VALID(rt) && rt + base >= media_epoch())
    GST_BUFFER_PTS(copy) = rt + base - media_epoch();
  else {
    GstClock *clock = gst_system_clock_obtain();
    GST_BUFFER_PTS(copy) = gst_clock_get_time(clock) - media_epoch();
    gst_object_unref(clock);
  }
  GST_BUFFER_DTS(copy) = GST_CLOCK_TIME_NONE;
  return copy;
}

// fan_packets makes packets of a frame; NULL when the payloader makes none. That frame alone is lost: a payloader that is broken is
// replaced for the next frame. The new one is made at once, since its plugin is loaded.
static GstBufferList *fan_packets(Fan *f, GstBuffer *buf, GstCaps *caps) {
  GstBufferList *packets = f->payloader ? payloader_packets(f->payloader, buf, caps) : NULL;
  if (packets) {
    f->refused = 0;
    return packets;
  }
  f->refused++;
  if (f->payloader && payloader_broken(f->payloader))
    g_clear_pointer(&f->payloader, payloader_free);
  if (f->payloader == NULL)
    f->payloader = payloader_new(f->payloader_text);
  return NULL;
}

// fan_hand gives one frame to each subscription that admits it; TRUE when one of them waits for a keyframe from now on.
static gboolean fan_hand(Fan *f, GstBuffer *buf, GstCaps *caps) {
  gboolean delta = GST_BUFFER_FLAG_IS_SET(buf, GST_BUFFER_FLAG_DELTA_UNIT);
  gboolean want_keyframe = FALSE;
  f->count.frames++;
  f->count.bytes += gst_buffer_get_size(buf);
  f->count.keyframes += f->coded && !delta;
  if (f->coded && !delta)
    f->count.keyframe_bytes = gst_buffer_get_size(buf);
  f->count.last_us = g_get_monotonic_time();
  gst_caps_replace(&f->caps, caps);
  if (!delta || f->count.last_us - f->fresh.us >= FRESH_US)
    fan_forget_keyframe(f);
  GstBufferList *packets = NULL;
  gboolean made_packets = FALSE;
  for (guint i = 0; i < f->subscriptions->len; i++) {
    Subscription *s = g_ptr_array_index(f->subscriptions, i);
    g_mutex_lock(&s->lock);
    if (subscription_admits(s, f, delta, &want_keyframe)) {
      if (s->stamp && !made_packets) {
        packets = fan_packets(f, buf, caps);
        made_packets = TRUE;
      }
      if (s->stamp)
        subscription_push_packets(s, f, packets, &want_keyframe);
      else
        subscription_push(s, buf, caps);
    }
    g_mutex_unlock(&s->lock);
  }
  if (packets && f->coded && !delta) {
    f->fresh.packets = g_steal_pointer(&packets);
    f->fresh.us = f->count.last_us;
  }
  g_clear_pointer(&packets, gst_buffer_list_unref);
  return want_keyframe;
}

Taken fan_take(Fan *f, GstAppSink *sink, guint64 serial, const gint *muted) {
  GstSample *sample = gst_app_sink_try_pull_sample(sink, 0);
  if (sample == NULL)
    return TAKEN;
  GstBuffer *buf = restamp(GST_ELEMENT(sink), gst_sample_get_buffer(sample), gst_sample_get_segment(sample));
  gboolean want_keyframe = FALSE, first = FALSE, refused = FALSE;
  g_mutex_lock(&f->lock);
  if (!g_atomic_int_get(muted) && serial >= f->serial) {
    first = serial > f->serial;
    if (first)
      fan_switch(f, serial);
    guint before = f->refused;
    want_keyframe = fan_hand(f, buf, gst_sample_get_caps(sample));
    refused = f->refused > before && f->refused % REFUSED == 0;
  }
  g_mutex_unlock(&f->lock);
  if (want_keyframe)
    request_keyframe(f);
  gst_buffer_unref(buf);
  gst_sample_unref(sample);
  return refused ? TAKEN_REFUSED : first ? TAKEN_FIRST : TAKEN;
}
