//go:build !nogst

// A fan hands each buffer of an appsink to any number of appsrcs, on the thread that made the buffer. It never waits for
// a consumer: an appsrc that is full loses its oldest (raw) or everything up to the next keyframe (coded). A subscription may go over
// to another coded fan: until that one's next keyframe it is in both. Viewers get RTP packets, made once for all of them.

#include "fan.h"
#include "media.h"
#include "_cgo_export.h"

struct Subscription {
  GMutex lock;        // guards all else; taken within a fan's, never around one
  Fan *fans[2];       // in whose lists it is; its Go owner changes them, in one call at a time
  int at;             // which of them feeds it
  gboolean moving;    // the other one does from its next keyframe on
  uintptr_t handle;   // of the fan that feeds it
  GstAppSrc *src;
  GstCaps *caps;      // last given to src
  Stamp *stamp;       // who takes packets has one,
  gchar *payloader_text;   // and what makes them
  guint max;
  gboolean unconnected, wait_keyframe, keyframes_only;
  SubscriptionCount count;
};

// A fan is kept by its Go owner, by each stage that fills it and by each subscription: a stage whose driver hangs never gives its
// reference back, and so never writes to freed memory.
struct Fan {
  gint refs;
  GMutex lock; // held for list changes and while one buffer is handed round
  GPtrArray *subscriptions;
  gboolean coded;
  uintptr_t handle;
  FanCount count;
  guint64 serial; // serial of the stage that fills it, 0 for none
  GstCaps *caps;  // of the newest buffer
  Payloader *payloader; // from the first subscription that takes packets on,
  gchar *payloader_text; // and what it is made of
  guint refused;  // frames in a row of which it made no packets
  GstBufferList *keyframe; // packets of the newest keyframe, while it is fresh
  int64_t keyframe_us;
};

// Of viewers that come soon after one another, the first one's keyframe is all there is for half a second (keyInterval in Go), or
// more at low rates. The others get it too while it is fresh, and then wait for the next.
enum { FRESH_US = 500000 };

// REFUSED is how many frames in a row of which no packets can be made are the fault of what makes the frames. All but the first
// are keyframes, for which the consumers wait: five seconds' where they can be asked for.
enum { REFUSED = 10 };

static void fan_forget_keyframe(Fan *f) { g_clear_pointer(&f->keyframe, gst_buffer_list_unref); }

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

// fan_from makes source the one that fills the fan. What consumers of a coded fan had is of another stream: they wait for a
// keyframe.
static void fan_switch(Fan *f, guint64 serial) {
  f->serial = serial;
  f->refused = 0;
  fan_forget_keyframe(f);
  for (guint i = 0; f->coded && i < f->subscriptions->len; i++) {
    Subscription *s = g_ptr_array_index(f->subscriptions, i);
    g_mutex_lock(&s->lock);
    s->wait_keyframe |= s->fans[s->at] == f;
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

// A keyframe request from downstream of a subscription (PLI or FIR of a viewer) ends at the appsrc: tell Go, which merges them.
static GstPadProbeReturn on_upstream(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  GstEvent *e = GST_PAD_PROBE_INFO_EVENT(info);
  Subscription *s = data;
  if (GST_EVENT_TYPE(e) == GST_EVENT_CUSTOM_UPSTREAM && gst_event_has_name(e, "GstForceKeyUnit")) {
    g_mutex_lock(&s->lock);
    uintptr_t handle = s->handle;
    g_mutex_unlock(&s->lock);
    mediaEvent(handle, EV_KEYFRAME_REQUEST, 1, 0, NULL, 0);
    return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

// fan_has_payloader makes a fan ready for subscriptions with stamps, which all name the same payloader; FALSE when there is no such element.
static gboolean fan_has_payloader(Fan *f, const char *payloader_text) {
  g_mutex_lock(&f->lock);
  gboolean made = f->payloader != NULL;
  g_mutex_unlock(&f->lock);
  if (made)
    return TRUE;
  Payloader *p = payloader_new(payloader_text); // outside of the lock, which frames pass
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

static void subscription_clear(gpointer data) {
  Subscription *s = data;
  g_clear_pointer(&s->stamp, stamp_unref);
  g_free(s->payloader_text);
  g_mutex_clear(&s->lock);
}

static void subscription_unref(gpointer s) { g_atomic_rc_box_release_full(s, subscription_clear); }

// subscription_enter puts the subscription into the list of a fan, subscription_leave takes it out.
static void subscription_enter(Subscription *s, int i, Fan *f) {
  g_mutex_lock(&s->lock);
  s->fans[i] = fan_ref(f);
  g_mutex_unlock(&s->lock);
  g_mutex_lock(&f->lock);
  g_ptr_array_add(f->subscriptions, s);
  g_mutex_unlock(&f->lock);
}

static void subscription_leave(Subscription *s, int i) {
  Fan *f = s->fans[i];
  if (f == NULL)
    return;
  g_mutex_lock(&f->lock);
  g_ptr_array_remove(f->subscriptions, s);
  g_mutex_unlock(&f->lock);
  g_mutex_lock(&s->lock);
  s->fans[i] = NULL;
  g_mutex_unlock(&s->lock);
  fan_unref(f);
}

Subscription *fan_subscribe(Fan *f, GstElement *src, guint max, gboolean unconnected, const char *payloader_text, Stamp *stamp) {
  if (stamp && !fan_has_payloader(f, payloader_text))
    return NULL;
  Subscription *s = g_atomic_rc_box_new0(Subscription);
  g_mutex_init(&s->lock);
  s->src = gst_object_ref(src);
  s->max = max;
  s->unconnected = unconnected;
  s->wait_keyframe = f->coded;
  s->handle = f->handle;
  s->stamp = stamp ? g_atomic_rc_box_acquire(stamp) : NULL;
  s->payloader_text = g_strdup(payloader_text);
  if (f->coded) {
    GstPad *pad = gst_element_get_static_pad(src, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream, g_atomic_rc_box_acquire(s), subscription_unref);
    gst_object_unref(pad);
  }
  subscription_enter(s, 0, f);
  return s;
}

void subscription_move(Subscription *s, Fan *f) {
  g_mutex_lock(&s->lock);
  s->moving = FALSE; // from here on a keyframe changes nothing
  int at = s->at;
  g_mutex_unlock(&s->lock);
  subscription_leave(s, !at);
  if (s->fans[at] == f)
    return;
  if (s->stamp && !fan_has_payloader(f, s->payloader_text))
    return;
  subscription_enter(s, !at, f);
  g_mutex_lock(&s->lock);
  s->moving = TRUE;
  g_mutex_unlock(&s->lock);
}

gboolean subscription_moved(Subscription *s) {
  g_mutex_lock(&s->lock);
  gboolean moving = s->moving;
  int at = s->at;
  g_mutex_unlock(&s->lock);
  if (!moving)
    subscription_leave(s, !at);
  return !moving;
}

void subscription_keyframes_only(Subscription *s, gboolean keyframes_only) {
  g_mutex_lock(&s->lock);
  s->wait_keyframe |= s->keyframes_only && !keyframes_only;
  s->keyframes_only = keyframes_only;
  g_mutex_unlock(&s->lock);
}

void subscription_count(Subscription *s, SubscriptionCount *out) {
  g_mutex_lock(&s->lock);
  *out = s->count;
  g_mutex_unlock(&s->lock);
}

void subscription_free(Subscription *s) {
  subscription_leave(s, 0);
  subscription_leave(s, 1);
  gst_clear_caps(&s->caps);
  gst_clear_object(&s->src);
  subscription_unref(s);
}

// subscription_takes_from decides whether the fan is the one that feeds the subscription. One that the subscription goes over to is, from a keyframe on, and
// the subscription gets everything of it.
static gboolean subscription_takes_from(Subscription *s, Fan *f, gboolean delta) {
  if (s->fans[s->at] == f)
    return TRUE;
  if (!s->moving || delta || s->unconnected)
    return FALSE;
  s->at = !s->at;
  s->moving = s->keyframes_only = FALSE;
  s->handle = f->handle;
  return TRUE;
}

static guint subscription_waiting(Subscription *s) {
  return s->stamp ? stamp_waiting(s->stamp) : gst_app_src_get_current_level_buffers(s->src);
}

// subscription_miss notes a frame that the consumer does not get: of a coded fan it then waits for a keyframe, and *want_keyframe is set.
static void subscription_miss(Subscription *s, Fan *f, gboolean *want_keyframe) {
  s->count.dropped++;
  s->wait_keyframe = f->coded;
  *want_keyframe |= f->coded;
}

// subscription_admits decides whether this consumer gets the buffer; *want_keyframe is set when it then waits for a keyframe.
static gboolean subscription_admits(Subscription *s, Fan *f, gboolean delta, gboolean *want_keyframe) {
  if (!subscription_takes_from(s, f, delta) || s->unconnected)
    return FALSE;
  if (f->coded && (s->wait_keyframe || s->keyframes_only) && delta) {
    s->count.dropped++;
    return FALSE;
  }
  if (s->max > 0 && subscription_waiting(s) >= s->max) {
    subscription_miss(s, f, want_keyframe);
    return FALSE;
  }
  s->wait_keyframe = FALSE;
  return TRUE;
}

static void subscription_push(Subscription *s, GstBuffer *buf, GstCaps *caps) {
  if (caps != s->caps) {
    if (s->caps == NULL || !gst_caps_is_equal(caps, s->caps))
      gst_app_src_set_caps(s->src, caps);
    gst_caps_replace(&s->caps, caps);
  }
  if (gst_app_src_push_buffer(s->src, gst_buffer_ref(buf)) == GST_FLOW_OK)
    s->count.pushed++;
  else
    s->count.dropped++;
}

// subscription_push_packets gives the consumer a frame's packets, of which there may be none.
static void subscription_push_packets(Subscription *s, Fan *f, GstBufferList *packets, gboolean *want_keyframe) {
  GstBufferList *own = packets ? stamp_packets(s->stamp, packets) : NULL;
  if (own == NULL) {
    subscription_miss(s, f, want_keyframe);
    return;
  }
  GstBufferList *rest = stamp_split(s->stamp, own);
  if (gst_app_src_push_buffer_list(s->src, own) == GST_FLOW_OK && (rest == NULL || gst_app_src_push_buffer_list(s->src, g_steal_pointer(&rest)) == GST_FLOW_OK))
    s->count.pushed++;
  else
    s->count.dropped++;
  g_clear_pointer(&rest, gst_buffer_list_unref);
}

void subscription_start(Subscription *s) {
  g_mutex_lock(&s->lock);
  Fan *f = s->fans[s->at];
  g_mutex_unlock(&s->lock);
  g_mutex_lock(&f->lock);
  g_mutex_lock(&s->lock);
  gboolean came = s->unconnected, want_keyframe = FALSE;
  s->unconnected = FALSE;
  s->wait_keyframe = s->fans[s->at]->coded;
  if (came && s->stamp && f->keyframe && s->fans[s->at] == f && g_get_monotonic_time() - f->keyframe_us < FRESH_US)
    subscription_push_packets(s, f, f->keyframe, &want_keyframe); // whoever resumes asks for a keyframe anyway
  g_mutex_unlock(&s->lock);
  g_mutex_unlock(&f->lock);
}

// restamp makes a copy of buf (sharing its memory) whose time stamp is a running time against the epoch. The copy keeps the
// original alive, so that a capture driver's buffer is not filled again while a consumer still reads it.
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

// fan_packets makes packets of a frame. One of which there are none is lost, no more: the next gets a new payloader if this one is at
// its end. To make that one takes no time, since all that it needs has been loaded.
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

// fan_hand gives one buffer to every consumer that takes it; TRUE when one of them then waits for a keyframe.
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
  if (!delta || f->count.last_us - f->keyframe_us >= FRESH_US)
    fan_forget_keyframe(f);
  GstBufferList *packets = NULL;
  gboolean packed = FALSE;
  for (guint i = 0; i < f->subscriptions->len; i++) {
    Subscription *s = g_ptr_array_index(f->subscriptions, i);
    g_mutex_lock(&s->lock);
    if (subscription_admits(s, f, delta, &want_keyframe)) {
      if (s->stamp && !packed) {
        packets = fan_packets(f, buf, caps);
        packed = TRUE;
      }
      if (s->stamp)
        subscription_push_packets(s, f, packets, &want_keyframe);
      else
        subscription_push(s, buf, caps);
    }
    g_mutex_unlock(&s->lock);
  }
  if (packets && f->coded && !delta) {
    f->keyframe = g_steal_pointer(&packets);
    f->keyframe_us = f->count.last_us;
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
