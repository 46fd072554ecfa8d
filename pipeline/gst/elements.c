//go:build !nogst

// What is asked about the elements of this machine. To answer, no element is run.

#include "trial.h"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

static gboolean takes(GParamSpec *spec, const char *value) {
  GValue v = G_VALUE_INIT;
  g_value_init(&v, spec->value_type);
  gboolean ok = gst_value_deserialize(&v, value);
  g_value_unset(&v);
  return ok;
}

gboolean element_has(const char *factory, const char *property, const char *value) {
  GstElementFactory *f = gst_element_factory_find(factory);
  GstPluginFeature *loaded = f ? gst_plugin_feature_load(GST_PLUGIN_FEATURE(f)) : NULL;
  gboolean has = FALSE;
  if (loaded) {
    GObjectClass *class = g_type_class_ref(gst_element_factory_get_element_type(GST_ELEMENT_FACTORY(loaded)));
    GParamSpec *spec = g_object_class_find_property(class, property);
    has = spec != NULL && (*value == '\0' || takes(spec, value));
    g_type_class_unref(class);
    gst_object_unref(loaded);
  }
  g_clear_object(&f);
  return has;
}

gboolean element_driver(const char *factory, gchar **driver, gchar **card) {
  GstElement *e = gst_element_factory_make(factory, NULL);
  gchar *device = NULL;
  if (e && g_object_class_find_property(G_OBJECT_GET_CLASS(e), "device"))
    g_object_get(e, "device", &device, NULL);
  g_clear_object(&e);
  int fd = device ? open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
  g_free(device);
  if (fd < 0)
    return FALSE;
  struct v4l2_capability caps = {0};
  gboolean ok = ioctl(fd, VIDIOC_QUERYCAP, &caps) == 0;
  close(fd);
  if (ok) {
    *driver = g_strndup((char *)caps.driver, sizeof caps.driver);
    *card = g_strndup((char *)caps.card, sizeof caps.card);
  }
  return ok;
}

gchar **elements_like(const char *pattern) {
  GPtrArray *names = g_ptr_array_new();
  GPatternSpec *glob = g_pattern_spec_new(pattern);
  GList *all = gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY);
  for (GList *l = all; l; l = l->next) {
    const gchar *name = gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(l->data));
    if (g_pattern_spec_match_string(glob, name))
      g_ptr_array_add(names, g_strdup(name));
  }
  gst_plugin_feature_list_free(all);
  g_pattern_spec_free(glob);
  g_ptr_array_add(names, NULL);
  return (gchar **)g_ptr_array_free(names, FALSE);
}

// Sinks of 1.22 that autovideosink would try. On a machine without a frame buffer, a thread that dfbvideosink's library starts goes on in
// code that is unloaded already. gtkwaylandsink draws on a thread that the program does not have.
static const char *const avoided[] = {"dfbvideosink", "gtkwaylandsink"};

void elements_avoid(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(avoided); i++) {
    GstPluginFeature *f = gst_registry_lookup_feature(gst_registry_get(), avoided[i]);
    if (f)
      gst_plugin_feature_set_rank(f, GST_RANK_NONE);
    g_clear_object(&f);
  }
}

gboolean graph_flowed(GstElement *pipe) {
  GstElement *out = gst_bin_get_by_name(GST_BIN(pipe), "out");
  GstSample *last = NULL;
  if (out)
    g_object_get(out, "last-sample", &last, NULL);
  gboolean flowed = last != NULL;
  if (last)
    gst_sample_unref(last);
  g_clear_object(&out);
  return flowed;
}
