// The C half of an encoder's trial: raw frames in, coded frames out, as fast as the encoder works.
#pragma once

#include <gst/app/app.h>
#include <gst/gst.h>

typedef struct Trial Trial;

typedef struct {
  GstSample *sample;
  GstMapInfo info; // its bytes
  gint64 pts; // -1 for none
} Frame;

// trial_new prepares a trial of pipe, which has an appsink "out", and may have an appsrc "in" and an element "encoder". NULL, with a text
// in *err, when there is no "out".
Trial *trial_new(GstElement *pipe, const char **err);
// trial_frames runs a graph to its end and keeps its frames for trial_feed. NULL, or an error, which the caller frees.
gchar *trial_frames(Trial *t, const char *graph);
// trial_feed pushes kept frames until two wait in the appsrc: from the first to the last, back again, and so on.
void trial_feed(Trial *t);
// trial_pull waits for one coded frame: 1 got, 0 none yet, -1 the stream has ended. The frame is given back by trial_release.
int trial_pull(Trial *t, guint64 timeout_ns, Frame *out);
void trial_release(Frame *p);
// trial_error is an element's error, which the caller frees; NULL for none.
gchar *trial_error(Trial *t);
// trial_keyframe, trial_set and trial_emit do to the encoder what stage.h's do.
void trial_keyframe(Trial *t);
gboolean trial_set(Trial *t, const char *property, const char *value);
gboolean trial_emit(Trial *t, const char *signal);
void trial_free(Trial *t);

// Questions about an element that is not run. For an element that cannot be made the answer is FALSE or NULL.
//
// element_has tells whether the element has the property, and, unless value is empty, whether the property takes that value.
gboolean element_has(const char *factory, const char *property, const char *value);
// element_driver asks the device behind an element for its driver's and its card's name, by VIDIOC_QUERYCAP. The caller frees both.
gboolean element_driver(const char *factory, gchar **driver, gchar **card);
// elements_like are the names of the factories that match a glob, NULL-terminated. The caller frees them by g_strfreev.
gchar **elements_like(const char *pattern);
// elements_avoid has elements that choose among others, such as autovideosink, never take those that would end or block the program.
void elements_avoid(void);

// graph_flowed tells whether a frame has reached the appsink "out" of a running graph.
gboolean graph_flowed(GstElement *pipe);
