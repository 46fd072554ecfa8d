// One viewer's data channels. Go knows each by an index.
#pragma once

#include <glib-object.h>
#include <stdint.h>

// Channels has references (g_atomic_rc_box_acquire): each signal handler has one, given back when it is disconnected.
typedef struct Channels Channels;
Channels *channels_new(uintptr_t handle);
void channels_unref(gpointer c);
// channels_add keeps a channel, and has Go told what happens to it. FALSE when there are CHANNELS of them.
gboolean channels_add(Channels *c, GObject *channel);
// channels_send sends a message. FALSE when the channel is not open, or too much of what was sent before has not left yet.
gboolean channels_send(Channels *c, int index, const char *text);
// channels_leave disconnects and releases all channels.
void channels_leave(Channels *c);
