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

// receiver_new builds a graph, given in launch syntax, as a bin. The bin's pad "sink" leads to the graph's element "in". NULL when the graph
// has no such element, or cannot be built: then Go is told why. (The parser could make ghost pads of all unlinked pads by itself. But then
// the sink behind a decoder would get one as well, since the decoder has no output yet.)
//
// When an element in the bin fails, Go is told once, by EV_DROPPED with the slot. From then on the receiver throws away what comes in. The
// error goes no further, so the viewer's pipeline goes on.
GstElement *receiver_new(const char *graph, int slot, uintptr_t handle);
// receiver_start adds a receiver to pipe, and has it play what comes from pad. The sound that arrives at its appsink "out", if it has
// one, goes where the hearing says.
void receiver_start(GstElement *receiver, GstElement *pipe, GstPad *pad, Hearing *h);
