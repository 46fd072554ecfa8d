// A stage: a pipeline that makes frames.
#pragma once

#include "fan.h"

typedef struct Stage Stage;

// stage_new takes the bus of pipe, has its appsrc "in" fed by the fan in, and its appsink "out" fill the fan out. Either fan may be NULL.
// NULL, with a text in *err, when pipe lacks such an end.
Stage *stage_new(GstElement *pipe, Fan *in, Fan *out, uintptr_t handle, const char **err);
// stage_mute keeps the stage's frames from the fan from now on.
void stage_mute(Stage *s);
// stage_keyframe asks the encoder for a keyframe, by GStreamer's event.
void stage_keyframe(Stage *s);
// stage_set sets a property of the named element from text. FALSE when there is no such element or property.
gboolean stage_set(Stage *s, const char *element, const char *property, const char *value);
// stage_emit emits an action signal of the named element. FALSE when there is no such element or signal.
gboolean stage_emit(Stage *s, const char *element, const char *signal);
// stage_free is called when the pipeline is in NULL.
void stage_free(Stage *s);
