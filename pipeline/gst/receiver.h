// What plays a viewer's stream.
#pragma once

#include "fan.h"

#include <stdint.h>

// Hearing is where a viewer's decoded sound goes. It has references: the viewer's, and that of each receiver.
typedef struct Hearing Hearing;

// hearing_new hands sound to a fan, or drops it where the fan is NULL. It is muted at first.
Hearing *hearing_new(Fan *f);
void hearing_unref(gpointer hearing);
// hearing_mute keeps the sound out of the fan, or lets it in.
void hearing_mute(Hearing *h, gboolean muted);

// receiver_new builds a graph, in launch syntax, as a bin with a pad "sink": that of the graph's element "in". NULL when there is no such
// element, or the graph cannot be built, of which Go is told. (The parser could make ghost pads of all unlinked pads by itself. But
// it would make one of the sink behind a decoder as well, since the decoder has no output yet.)
//
// An error of an element in it is told to Go once, as EV_DROPPED, and goes no further: from then on the receiver throws away what comes
// in, and the viewer's pipeline goes on. slot says of what.
GstElement *receiver_new(const char *graph, int slot, uintptr_t handle);
// receiver_start adds a receiver to pipe, and has it play what comes from pad. The sound that arrives at its appsink "out", if it has
// one, goes where the hearing says.
void receiver_start(GstElement *receiver, GstElement *pipe, GstPad *pad, Hearing *h);
