//go:build !nogst

#include "channels.h"
#include "media.h"
#include "sctp.h"
#include "_cgo_export.h"

enum { OPEN = 2 }; // GstWebRTCDataChannelState
// bytes that may wait to be sent: without a bound, messages to a viewer that does not read would pile up.
enum { WAITING = 1024 * 1024 };

struct Channels {
  uintptr_t handle;
  GMutex lock; // guards list
  GObject *list[CHANNELS];
};

typedef struct {
  Channels *all;
  int index;
} Channel;

static void channels_clear(gpointer c) { g_mutex_clear(&((Channels *)c)->lock); }

void channels_unref(gpointer c) { g_atomic_rc_box_release_full(c, channels_clear); }

Channels *channels_new(uintptr_t handle) {
  Channels *c = g_atomic_rc_box_new0(Channels);
  c->handle = handle;
  g_mutex_init(&c->lock);
  return c;
}

static void channel_unref(gpointer data, GClosure *unused) {
  channels_unref(((Channel *)data)->all);
  g_free(data);
}

static void channel_listen(GObject *o, const char *signal, GCallback cb, Channels *all, int index) {
  Channel *c = g_new0(Channel, 1);
  c->all = g_atomic_rc_box_acquire(all);
  c->index = index;
  g_signal_connect_data(o, signal, cb, c, channel_unref, 0);
}

static void on_open(GObject *o, Channel *c) { mediaEvent(c->all->handle, EV_CHANNEL_OPEN, c->index, 0, NULL, 0); }

static void on_text(GObject *o, gchar *text, Channel *c) { mediaEvent(c->all->handle, EV_CHANNEL_TEXT, c->index, 0, text, 0); }

static void on_close(GObject *o, Channel *c) { mediaEvent(c->all->handle, EV_CHANNEL_CLOSED, c->index, 0, NULL, 0); }

static const struct {
  const char *signal;
  GCallback told;
} handlers[] = {{"on-open", G_CALLBACK(on_open)}, {"on-message-string", G_CALLBACK(on_text)}, {"on-close", G_CALLBACK(on_close)}};

gboolean channels_add(Channels *c, GObject *channel) {
  int index = -1;
  g_mutex_lock(&c->lock);
  for (int i = 0; i < CHANNELS && index < 0; i++)
    if (c->list[i] == NULL) {
      c->list[i] = g_object_ref(channel);
      index = i;
    }
  g_mutex_unlock(&c->lock);
  for (gsize i = 0; index >= 0 && i < G_N_ELEMENTS(handlers); i++)
    channel_listen(channel, handlers[i].signal, handlers[i].told, c, index);
  return index >= 0;
}

gboolean channels_send(Channels *c, int index, const char *text) {
  if (index < 0 || index >= CHANNELS)
    return FALSE;
  g_mutex_lock(&c->lock);
  GObject *o = c->list[index] ? g_object_ref(c->list[index]) : NULL;
  g_mutex_unlock(&c->lock);
  if (o == NULL)
    return FALSE;
  gint state = 0;
  guint64 buffered = 0;
  g_object_get(o, "ready-state", &state, "buffered-amount", &buffered, NULL);
  gboolean open = state == OPEN && buffered < WAITING;
  if (open)
    g_signal_emit_by_name(o, "send-string", text);
  g_object_unref(o);
  return open;
}

void channels_leave(Channels *c) {
  for (int i = 0; i < CHANNELS; i++) {
    for (gsize h = 0; c->list[i] && h < G_N_ELEMENTS(handlers); h++)
      g_signal_handlers_disconnect_matched(c->list[i], G_SIGNAL_MATCH_FUNC, 0, 0, NULL, (gpointer)handlers[h].told, NULL);
    g_clear_object(&c->list[i]);
  }
}
