// What plays a viewer's stream.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// receiver_new builds a graph, in launch syntax, as a bin with a pad "sink": that of the graph's element "in". NULL when there is no such
// element, or the graph cannot be built, of which Go is told. (The parser could make ghost pads of all unlinked pads by itself. But
// it would make one of the sink behind a decoder as well, since the decoder has no output yet.)
GstElement *receiver_new(const char *graph, uintptr_t handle);
