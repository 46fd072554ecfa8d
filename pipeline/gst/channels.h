// A connection's data channels, as Go knows them: by an index.
#pragma once

#include <glib-object.h>
#include <stdint.h>

// Channels has references (g_atomic_rc_box_acquire): each signal handler has one, given back when it is disconnected.
typedef struct Channels Channels;
Channels *channels_new(uintptr_t handle);
void channels_unref(gpointer c);
// channels_add keeps a channel and tells what happens to it; FALSE when there are as many as there may be.
gboolean channels_add(Channels *c, GObject *channel);
// channels_send is FALSE when the channel is not open, or what was sent before has not been read.
gboolean channels_send(Channels *c, int index, const char *text);
// channels_leave lets go of all channels.
void channels_leave(Channels *c);
