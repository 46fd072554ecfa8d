// The C half of an encoder's trial: pictures in, coded pictures out, as fast as they go.
#pragma once

#include <gst/app/app.h>
#include <gst/gst.h>

typedef struct Trial Trial;

typedef struct {
  GstSample *sample;
  GstMapInfo info;
  gint64 pts; // -1 for none
} Frame;

// trial_new takes hold of the ends of pipe; appsrc "in" may be absent. NULL with a text in *err when there is no "out".
Trial *trial_new(GstElement *pipe, const char **err);
// trial_frames runs a graph to its end and keeps what it made for trial_feed. NULL, or an error to be freed.
gchar *trial_frames(Trial *t, const char *graph);
// trial_feed pushes pictures, to and fro, while fewer than two wait in the appsrc.
void trial_feed(Trial *t);
// trial_pull waits for one coded picture: 1 got, 0 none yet, -1 the stream has ended. Give it back with trial_release.
int trial_pull(Trial *t, guint64 timeout_ns, Frame *out);
void trial_release(Frame *p);
// trial_error is what an element has said, to be freed, or NULL.
gchar *trial_error(Trial *t);
void trial_keyframe(Trial *t);
gboolean trial_set(Trial *t, const char *property, const char *value);
gboolean trial_emit(Trial *t, const char *signal);
void trial_free(Trial *t);

// What an element is asked without running it; all are FALSE or NULL for an element that can't be made.
gboolean element_has(const char *factory, const char *property, const char *value);
// element_driver reads VIDIOC_QUERYCAP of the device behind an element; both texts are to be freed.
gboolean element_driver(const char *factory, gchar **driver, gchar **card);
// elements_like lists factories' names that match a glob, NULL-terminated, to be freed with g_strfreev.
gchar **elements_like(const char *pattern);

// graph_flowed tells whether a picture has reached the appsink "out" of a running graph.
gboolean graph_flowed(GstElement *pipe);
