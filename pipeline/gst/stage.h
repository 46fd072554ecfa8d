// Stages: pipelines that produce.
#pragma once

#include "fan.h"

typedef struct Stage Stage;

// stage_new takes charge of the bus of pipe and joins its appsrc "in" to the fan in and its appsink "out" to the fan out;
// either may be NULL. NULL with a text in *err when an end is missing.
Stage *stage_new(GstElement *pipe, Fan *in, Fan *out, uintptr_t handle, const char **err);
// stage_mute keeps from the fan whatever the stage still makes.
void stage_mute(Stage *s);
void stage_keyframe(Stage *s);
// stage_set sets a property of the named element from text; FALSE when there is no such element or property.
gboolean stage_set(Stage *s, const char *element, const char *property, const char *value);
gboolean stage_emit(Stage *s, const char *element, const char *signal);
void stage_free(Stage *s);
