//go:build !nogst

// A fan hands each buffer of an appsink to any number of appsrcs, on the thread that made the buffer. It never waits for
// a consumer: an appsrc that is full loses its oldest (raw) or everything up to the next keyframe (coded). A tap may go over
// to another coded fan: until that one's next keyframe it is in both. Viewers get RTP packets, made once for all of them.

#include "fan.h"
#include "media.h"
#include "_cgo_export.h"

struct Tap {
  GMutex lock;        // guards all else; taken within a fan's, never around one
  Fan *fans[2];       // in whose lists it is; its Go owner changes them, in one call at a time
  int at;             // which of them feeds it
  gboolean moving;    // the other one does from its next keyframe on
  uintptr_t handle;   // of the fan that feeds it
  GstAppSrc *src;
  GstCaps *caps;      // last given to src
  Stamp *stamp;       // who takes packets has one,
  gchar *payloader;   // and what makes them
  guint max;
  gboolean paused, wait_key, spared;
  TapCount count;
};

// A fan is kept by its Go owner, by each stage that fills it and by each tap: a stage whose driver hangs never gives its
// reference back, and so never writes to freed memory.
struct Fan {
  gint refs;
  GMutex lock; // held for list changes and while one buffer is handed round
  GPtrArray *taps;
  gboolean coded;
  uintptr_t handle;
  FanCount count;
  guint64 source; // serial of the stage that fills it, 0 for none
  GstCaps *caps;  // of the newest buffer
  Packer *packer; // from the first tap that takes packets on,
  gchar *payloader; // and what it is made of
  guint refused;  // frames in a row of which it made no packets
  GstBufferList *key; // packets of the newest keyframe, while it is fresh
  int64_t key_us;
};

// Of viewers that come soon after one another, the first one's keyframe is all there is for half a second (keyInterval in Go), or
// more at low rates. The others get it too while it is fresh, and then wait for the next.
enum { FRESH_US = 500000 };

// REFUSED is how many frames in a row of which no packets can be made are the fault of what makes the frames. All but the first
// are keyframes, for which the consumers wait: five seconds' where they can be asked for.
enum { REFUSED = 10 };

static void fan_forget_key(Fan *f) { g_clear_pointer(&f->key, gst_buffer_list_unref); }

Fan *fan_new(gboolean coded, uintptr_t handle) {
  Fan *f = g_new0(Fan, 1);
  f->refs = 1;
  g_mutex_init(&f->lock);
  f->taps = g_ptr_array_new();
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
  g_ptr_array_free(f->taps, TRUE);
  fan_forget_key(f);
  gst_clear_caps(&f->caps);
  g_clear_pointer(&f->packer, packer_free);
  g_free(f->payloader);
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
  guint n = f->taps->len;
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
static void fan_from(Fan *f, guint64 source) {
  f->source = source;
  f->refused = 0;
  fan_forget_key(f);
  for (guint i = 0; f->coded && i < f->taps->len; i++) {
    Tap *t = g_ptr_array_index(f->taps, i);
    g_mutex_lock(&t->lock);
    t->wait_key |= t->fans[t->at] == f;
    g_mutex_unlock(&t->lock);
  }
}

void fan_release(Fan *f, guint64 source) {
  g_mutex_lock(&f->lock);
  if (f->source == source)
    fan_from(f, 0);
  g_mutex_unlock(&f->lock);
}

static void want_key(Fan *f) { mediaEvent(f->handle, EV_KEY_WANTED, 0, 0, NULL, 0); }

// A keyframe request from downstream of a tap (PLI or FIR of a viewer) ends at the appsrc: tell Go, which merges them.
static GstPadProbeReturn on_upstream(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  GstEvent *e = GST_PAD_PROBE_INFO_EVENT(info);
  Tap *t = data;
  if (GST_EVENT_TYPE(e) == GST_EVENT_CUSTOM_UPSTREAM && gst_event_has_name(e, "GstForceKeyUnit")) {
    g_mutex_lock(&t->lock);
    uintptr_t handle = t->handle;
    g_mutex_unlock(&t->lock);
    mediaEvent(handle, EV_KEY_WANTED, 1, 0, NULL, 0);
    return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

// fan_packs makes a fan ready for taps with stamps, which all name the same payloader; FALSE when there is no such element.
static gboolean fan_packs(Fan *f, const char *payloader) {
  g_mutex_lock(&f->lock);
  gboolean ready = f->packer != NULL;
  g_mutex_unlock(&f->lock);
  if (ready)
    return TRUE;
  Packer *p = packer_new(payloader); // outside of the lock, which frames pass
  g_mutex_lock(&f->lock);
  if (f->packer == NULL) {
    f->packer = g_steal_pointer(&p);
    f->payloader = f->packer ? g_strdup(payloader) : NULL;
  }
  gboolean packs = f->packer != NULL;
  g_mutex_unlock(&f->lock);
  g_clear_pointer(&p, packer_free);
  return packs;
}

static void tap_clear(gpointer data) {
  Tap *t = data;
  g_clear_pointer(&t->stamp, stamp_unref);
  g_free(t->payloader);
  g_mutex_clear(&t->lock);
}

static void tap_unref(gpointer t) { g_atomic_rc_box_release_full(t, tap_clear); }

// tap_enter puts the tap into the list of a fan, tap_leave takes it out.
static void tap_enter(Tap *t, int i, Fan *f) {
  g_mutex_lock(&t->lock);
  t->fans[i] = fan_ref(f);
  g_mutex_unlock(&t->lock);
  g_mutex_lock(&f->lock);
  g_ptr_array_add(f->taps, t);
  g_mutex_unlock(&f->lock);
}

static void tap_leave(Tap *t, int i) {
  Fan *f = t->fans[i];
  if (f == NULL)
    return;
  g_mutex_lock(&f->lock);
  g_ptr_array_remove(f->taps, t);
  g_mutex_unlock(&f->lock);
  g_mutex_lock(&t->lock);
  t->fans[i] = NULL;
  g_mutex_unlock(&t->lock);
  fan_unref(f);
}

Tap *fan_tap(Fan *f, GstElement *src, guint max, gboolean paused, const char *payloader, Stamp *stamp) {
  if (stamp && !fan_packs(f, payloader))
    return NULL;
  Tap *t = g_atomic_rc_box_new0(Tap);
  g_mutex_init(&t->lock);
  t->src = gst_object_ref(src);
  t->max = max;
  t->paused = paused;
  t->wait_key = f->coded;
  t->handle = f->handle;
  t->stamp = stamp ? g_atomic_rc_box_acquire(stamp) : NULL;
  t->payloader = g_strdup(payloader);
  if (f->coded) {
    GstPad *pad = gst_element_get_static_pad(src, "src");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, on_upstream, g_atomic_rc_box_acquire(t), tap_unref);
    gst_object_unref(pad);
  }
  tap_enter(t, 0, f);
  return t;
}

void tap_move(Tap *t, Fan *f) {
  g_mutex_lock(&t->lock);
  t->moving = FALSE; // from here on a keyframe changes nothing
  int at = t->at;
  g_mutex_unlock(&t->lock);
  tap_leave(t, !at);
  if (t->fans[at] == f)
    return;
  if (t->stamp && !fan_packs(f, t->payloader))
    return;
  tap_enter(t, !at, f);
  g_mutex_lock(&t->lock);
  t->moving = TRUE;
  g_mutex_unlock(&t->lock);
}

gboolean tap_moved(Tap *t) {
  g_mutex_lock(&t->lock);
  gboolean moving = t->moving;
  int at = t->at;
  g_mutex_unlock(&t->lock);
  if (!moving)
    tap_leave(t, !at);
  return !moving;
}

void tap_spare(Tap *t, gboolean keyframes_only) {
  g_mutex_lock(&t->lock);
  t->wait_key |= t->spared && !keyframes_only;
  t->spared = keyframes_only;
  g_mutex_unlock(&t->lock);
}

void tap_count(Tap *t, TapCount *out) {
  g_mutex_lock(&t->lock);
  *out = t->count;
  g_mutex_unlock(&t->lock);
}

void tap_free(Tap *t) {
  tap_leave(t, 0);
  tap_leave(t, 1);
  gst_clear_caps(&t->caps);
  gst_clear_object(&t->src);
  tap_unref(t);
}

// tap_of decides whether the fan is the one that feeds the tap. One that the tap goes over to is, from a keyframe on, and
// the tap gets everything of it.
static gboolean tap_of(Tap *t, Fan *f, gboolean delta) {
  if (t->fans[t->at] == f)
    return TRUE;
  if (!t->moving || delta || t->paused)
    return FALSE;
  t->at = !t->at;
  t->moving = t->spared = FALSE;
  t->handle = f->handle;
  return TRUE;
}

static guint tap_level(Tap *t) {
  return t->stamp ? stamp_waiting(t->stamp) : gst_app_src_get_current_level_buffers(t->src);
}

// tap_miss notes a frame that the consumer does not get: of a coded fan it then waits for a keyframe, and *ask is set.
static void tap_miss(Tap *t, Fan *f, gboolean *ask) {
  t->count.dropped++;
  t->wait_key = f->coded;
  *ask |= f->coded;
}

// tap_admits decides whether this consumer gets the buffer; *ask is set when it then waits for a keyframe.
static gboolean tap_admits(Tap *t, Fan *f, gboolean delta, gboolean *ask) {
  if (!tap_of(t, f, delta) || t->paused)
    return FALSE;
  if (f->coded && (t->wait_key || t->spared) && delta) {
    t->count.dropped++;
    return FALSE;
  }
  if (t->max > 0 && tap_level(t) >= t->max) {
    tap_miss(t, f, ask);
    return FALSE;
  }
  t->wait_key = FALSE;
  return TRUE;
}

static void tap_push(Tap *t, GstBuffer *buf, GstCaps *caps) {
  if (caps != t->caps) {
    if (t->caps == NULL || !gst_caps_is_equal(caps, t->caps))
      gst_app_src_set_caps(t->src, caps);
    gst_caps_replace(&t->caps, caps);
  }
  if (gst_app_src_push_buffer(t->src, gst_buffer_ref(buf)) == GST_FLOW_OK)
    t->count.pushed++;
  else
    t->count.dropped++;
}

// tap_push_packets gives the consumer a frame's packets, of which there may be none.
static void tap_push_packets(Tap *t, Fan *f, GstBufferList *packets, gboolean *ask) {
  GstBufferList *own = packets ? stamp_packets(t->stamp, packets) : NULL;
  if (own == NULL) {
    tap_miss(t, f, ask);
    return;
  }
  GstBufferList *rest = stamp_split(t->stamp, own);
  if (gst_app_src_push_buffer_list(t->src, own) == GST_FLOW_OK && (rest == NULL || gst_app_src_push_buffer_list(t->src, g_steal_pointer(&rest)) == GST_FLOW_OK))
    t->count.pushed++;
  else
    t->count.dropped++;
  g_clear_pointer(&rest, gst_buffer_list_unref);
}

void tap_resume(Tap *t) {
  g_mutex_lock(&t->lock);
  Fan *f = t->fans[t->at];
  g_mutex_unlock(&t->lock);
  g_mutex_lock(&f->lock);
  g_mutex_lock(&t->lock);
  gboolean came = t->paused, ask = FALSE;
  t->paused = FALSE;
  t->wait_key = t->fans[t->at]->coded;
  if (came && t->stamp && f->key && t->fans[t->at] == f && g_get_monotonic_time() - f->key_us < FRESH_US)
    tap_push_packets(t, f, f->key, &ask); // whoever resumes asks for a keyframe anyway
  g_mutex_unlock(&t->lock);
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

// fan_pack makes packets of a frame. One of which there are none is lost, no more: the next gets a new packer if this one is at
// its end. To make that one takes no time, since all that it needs has been loaded.
static GstBufferList *fan_pack(Fan *f, GstBuffer *buf, GstCaps *caps) {
  GstBufferList *packets = f->packer ? packer_pack(f->packer, buf, caps) : NULL;
  if (packets) {
    f->refused = 0;
    return packets;
  }
  f->refused++;
  if (f->packer && packer_broken(f->packer))
    g_clear_pointer(&f->packer, packer_free);
  if (f->packer == NULL)
    f->packer = packer_new(f->payloader);
  return NULL;
}

// fan_hand gives one buffer to every consumer that takes it; TRUE when one of them then waits for a keyframe.
static gboolean fan_hand(Fan *f, GstBuffer *buf, GstCaps *caps) {
  gboolean delta = GST_BUFFER_FLAG_IS_SET(buf, GST_BUFFER_FLAG_DELTA_UNIT);
  gboolean ask = FALSE;
  f->count.frames++;
  f->count.bytes += gst_buffer_get_size(buf);
  f->count.keyframes += f->coded && !delta;
  if (f->coded && !delta)
    f->count.key_bytes = gst_buffer_get_size(buf);
  f->count.last_us = g_get_monotonic_time();
  gst_caps_replace(&f->caps, caps);
  if (!delta || f->count.last_us - f->key_us >= FRESH_US)
    fan_forget_key(f);
  GstBufferList *packets = NULL;
  gboolean packed = FALSE;
  for (guint i = 0; i < f->taps->len; i++) {
    Tap *t = g_ptr_array_index(f->taps, i);
    g_mutex_lock(&t->lock);
    if (tap_admits(t, f, delta, &ask)) {
      if (t->stamp && !packed) {
        packets = fan_pack(f, buf, caps);
        packed = TRUE;
      }
      if (t->stamp)
        tap_push_packets(t, f, packets, &ask);
      else
        tap_push(t, buf, caps);
    }
    g_mutex_unlock(&t->lock);
  }
  if (packets && f->coded && !delta) {
    f->key = g_steal_pointer(&packets);
    f->key_us = f->count.last_us;
  }
  g_clear_pointer(&packets, gst_buffer_list_unref);
  return ask;
}

Taken fan_take(Fan *f, GstAppSink *sink, guint64 source, const gint *muted) {
  GstSample *sample = gst_app_sink_try_pull_sample(sink, 0);
  if (sample == NULL)
    return TAKEN;
  GstBuffer *buf = restamp(GST_ELEMENT(sink), gst_sample_get_buffer(sample), gst_sample_get_segment(sample));
  gboolean ask = FALSE, first = FALSE, refused = FALSE;
  g_mutex_lock(&f->lock);
  if (!g_atomic_int_get(muted) && source >= f->source) {
    first = source > f->source;
    if (first)
      fan_from(f, source);
    guint before = f->refused;
    ask = fan_hand(f, buf, gst_sample_get_caps(sample));
    refused = f->refused > before && f->refused % REFUSED == 0;
  }
  g_mutex_unlock(&f->lock);
  if (ask)
    want_key(f);
  gst_buffer_unref(buf);
  gst_sample_unref(sample);
  return refused ? TAKEN_REFUSED : first ? TAKEN_FIRST : TAKEN;
}
