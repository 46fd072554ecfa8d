//go:build !nogst

// A subscription pushes frames to an appsrc on the thread that made them, and never waits for the appsrc. When the appsrc is full, raw
// frames push out the oldest (the appsrc does that by itself); coded frames are dropped up to the next keyframe. While a subscription
// is moved from one fan to another, both fans list it.

#include "fan_inside.h"
#include "media.h"
#include "_cgo_export.h"

// on_upstream stops a keyframe request at the appsrc (a viewer's PLI or FIR), and tells Go, which merges those of all viewers.
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

static void subscription_clear(gpointer data) {
  Subscription *s = data;
  g_clear_pointer(&s->stamp, stamp_unref);
  g_free(s->payloader_text);
  g_mutex_clear(&s->lock);
}

static void subscription_unref(gpointer s) { g_atomic_rc_box_release_full(s, subscription_clear); }

// subscription_enter puts the subscription into a fan's list; subscription_leave takes it out of one.
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
  s->gate.unconnected = unconnected;
  s->gate.wait_keyframe = f->coded;
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
  s->moving = FALSE; // from here on a keyframe of the other fan changes nothing
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
  s->gate.wait_keyframe |= s->gate.keyframes_only && !keyframes_only;
  s->gate.keyframes_only = keyframes_only;
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

// subscription_takes_from decides whether this fan feeds the subscription. The fan that a subscription is moved to does from its first
// keyframe on, and then with all frames.
static gboolean subscription_takes_from(Subscription *s, Fan *f, gboolean delta) {
  if (s->fans[s->at] == f)
    return TRUE;
  if (!s->moving || delta || s->gate.unconnected)
    return FALSE;
  s->at = !s->at;
  s->moving = s->gate.keyframes_only = FALSE;
  s->handle = f->handle;
  return TRUE;
}

// subscription_waiting is how many frames wait in the appsrc.
static guint subscription_waiting(Subscription *s) {
  return s->stamp ? stamp_waiting(s->stamp) : gst_app_src_get_current_level_buffers(s->src);
}

// subscription_miss notes a frame that the subscription does not get. In a coded fan it then waits for a keyframe.
static void subscription_miss(Subscription *s, Fan *f, gboolean *want_keyframe) {
  s->count.dropped++;
  s->gate.wait_keyframe = f->coded;
  *want_keyframe |= f->coded;
}

gboolean subscription_admits(Subscription *s, Fan *f, gboolean delta, gboolean *want_keyframe) {
  if (!subscription_takes_from(s, f, delta) || s->gate.unconnected)
    return FALSE;
  if (f->coded && (s->gate.wait_keyframe || s->gate.keyframes_only) && delta) {
    s->count.dropped++;
    return FALSE;
  }
  if (s->max > 0 && subscription_waiting(s) >= s->max) {
    subscription_miss(s, f, want_keyframe);
    return FALSE;
  }
  s->gate.wait_keyframe = FALSE;
  return TRUE;
}

void subscription_push(Subscription *s, GstBuffer *buf, GstCaps *caps) {
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

void subscription_push_packets(Subscription *s, Fan *f, GstBufferList *packets, gboolean *want_keyframe) {
  GstBufferList *own = packets ? stamp_packets(s->stamp, packets) : NULL;
  if (own == NULL) {
    subscription_miss(s, f, want_keyframe);
    return;
  }
  gsize size = gst_buffer_list_calculate_size(own);
  GstBufferList *rest = stamp_split(s->stamp, own);
  gboolean pushed = gst_app_src_push_buffer_list(s->src, own) == GST_FLOW_OK;
  if (pushed && rest)
    pushed = gst_app_src_push_buffer_list(s->src, g_steal_pointer(&rest)) == GST_FLOW_OK;
  if (pushed) {
    s->count.pushed++;
    s->count.bytes += size;
  } else {
    s->count.dropped++;
  }
  g_clear_pointer(&rest, gst_buffer_list_unref);
}

void subscription_start(Subscription *s) {
  g_mutex_lock(&s->lock);
  Fan *f = s->fans[s->at];
  g_mutex_unlock(&s->lock);
  g_mutex_lock(&f->lock);
  g_mutex_lock(&s->lock);
  gboolean connects = s->gate.unconnected, want_keyframe = FALSE;
  s->gate.unconnected = FALSE;
  s->gate.wait_keyframe = s->fans[s->at]->coded;
  if (connects && s->stamp && f->fresh.packets && s->fans[s->at] == f && g_get_monotonic_time() - f->fresh.us < FRESH_US)
    subscription_push_packets(s, f, f->fresh.packets, &want_keyframe); // Go requests a keyframe after this in any case
  g_mutex_unlock(&s->lock);
  g_mutex_unlock(&f->lock);
}
