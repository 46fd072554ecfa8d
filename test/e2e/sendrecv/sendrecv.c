// sendrecv is the media half of a peer that behaves as the well-known C demos of GStreamer's webrtcbin do. It sends VP8 as
// payload type 96 and Opus as 97, and accepts only these. It goes on sending, whatever the answer says. The process that starts it
// does the signalling: each message is "WORD NUMBER LENGTH\n" and LENGTH bytes of text. On stdin come start (an offer will come), request
// (make one), offer, answer and candidate (NUMBER is its section); on stdout offer, answer, candidate, and twice in 100 ms
// how many frames were decoded: "video N 0" and "audio N 0". It ends with its stdin.
//
//   sendrecv 2020|2022
//
// 2020 and 2022 choose the version of the demos. From 2022 on they put the audio section first. If a call begins with the peer's
// offer, they use the offer's payload types.
//
// Descriptions are a public struct of an enum and a GstSDPMessage, so that no header of libgstwebrtc is needed.

#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFER = 1, ANSWER = 3, MOST = 1 << 20 /* bytes of a text */, REPORT_MS = 50 };

typedef struct {
  int type;
  GstSDPMessage *sdp;
} Description;

#define VIDEO                                                                                                          \
  "videotestsrc is-live=true pattern=ball ! videoconvert ! queue ! vp8enc deadline=1 ! rtpvp8pay ! queue"               \
  " ! application/x-rtp,media=video,encoding-name=VP8,payload=%d ! sendrecv."
#define AUDIO                                                                                                          \
  "audiotestsrc is-live=true wave=red-noise ! audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay ! queue"      \
  " ! application/x-rtp,media=audio,encoding-name=OPUS,payload=%d ! sendrecv."

static GstElement *pipe_, *webrtc;
static gboolean of_2022, offers;
static int vp8 = 96, opus = 97; // payload types
static gint frames[2]; // decoded: of video, of audio
static GMutex speaking;

static void say(const char *word, guint number, const char *text) {
  g_mutex_lock(&speaking);
  printf("%s %u %zu\n%s", word, number, strlen(text), text);
  fflush(stdout);
  g_mutex_unlock(&speaking);
}

// ---- what comes

static GstPadProbeReturn count(GstPad *pad, GstPadProbeInfo *info, gpointer kind) {
  g_atomic_int_inc(&frames[GPOINTER_TO_INT(kind)]);
  return GST_PAD_PROBE_OK;
}

static GstPad *play(const char *graph) {
  GstElement *bin = gst_parse_bin_from_description(graph, TRUE, NULL);
  gst_bin_add(GST_BIN(pipe_), bin);
  gst_element_sync_state_with_parent(bin);
  return gst_element_get_static_pad(bin, "sink");
}

static void on_decoded(GstElement *decodebin, GstPad *pad, gpointer unused) {
  GstCaps *caps = gst_pad_get_current_caps(pad);
  gboolean video = g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
  gst_caps_unref(caps);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, count, GINT_TO_POINTER(video ? 0 : 1), NULL);
  GstPad *sink = play(video ? "queue ! videoconvert ! fakesink" : "queue ! audioconvert ! audioresample ! fakesink");
  gst_pad_link(pad, sink);
  gst_object_unref(sink);
}

static void on_incoming(GstElement *w, GstPad *pad, gpointer unused) {
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
  GstElement *decodebin = gst_element_factory_make("decodebin", NULL);
  g_signal_connect(decodebin, "pad-added", G_CALLBACK(on_decoded), NULL);
  gst_bin_add(GST_BIN(pipe_), decodebin);
  gst_element_sync_state_with_parent(decodebin);
  GstPad *sink = gst_element_get_static_pad(decodebin, "sink");
  gst_pad_link(pad, sink);
  gst_object_unref(sink);
}

// ---- descriptions

static void on_description(GstPromise *promise, gpointer word) {
  Description *d = NULL;
  gst_structure_get(gst_promise_get_reply(promise), word, g_type_from_name("GstWebRTCSessionDescription"), &d, NULL);
  gst_promise_unref(promise);
  if (!d) g_error("webrtcbin made no %s", (const char *)word);
  char *text = gst_sdp_message_as_text(d->sdp);
  say(word, 0, text); // before the candidates that setting it brings
  g_signal_emit_by_name(webrtc, "set-local-description", d, NULL);
  g_free(text);
  g_boxed_free(g_type_from_name("GstWebRTCSessionDescription"), d);
}

static void on_negotiation_needed(GstElement *w, gpointer unused) {
  if (offers)
    g_signal_emit_by_name(w, "create-offer", NULL, gst_promise_new_with_change_func(on_description, "offer", NULL));
}

static void on_offer_set(GstPromise *promise, gpointer unused) {
  gst_promise_unref(promise);
  g_signal_emit_by_name(webrtc, "create-answer", NULL, gst_promise_new_with_change_func(on_description, "answer", NULL));
}

static void take(int type, const char *text) {
  Description d = {type, NULL};
  if (gst_sdp_message_new_from_text(text, &d.sdp) != GST_SDP_OK) g_error("a description cannot be read: %s", text);
  g_signal_emit_by_name(webrtc, "set-remote-description", &d,
                        type == OFFER ? gst_promise_new_with_change_func(on_offer_set, NULL, NULL) : NULL);
  gst_sdp_message_free(d.sdp);
}

// ---- the pipeline

static void on_candidate(GstElement *w, guint section, char *text, gpointer unused) { say("candidate", section, text); }

static void start(gboolean offering) {
  GError *error = NULL;
  const char *webrtcbin = "webrtcbin name=sendrecv bundle-policy=max-bundle";
  char *video = g_strdup_printf(VIDEO, vp8), *audio = g_strdup_printf(AUDIO, opus);
  char *graph = g_strjoin(" ", webrtcbin, of_2022 ? audio : video, of_2022 ? video : audio, NULL);
  offers = offering;
  pipe_ = gst_parse_launch(graph, &error);
  if (error) g_error("%s: %s", graph, error->message);
  g_free(graph);
  g_free(video);
  g_free(audio);
  webrtc = gst_bin_get_by_name(GST_BIN(pipe_), "sendrecv");
  g_signal_connect(webrtc, "on-negotiation-needed", G_CALLBACK(on_negotiation_needed), NULL);
  g_signal_connect(webrtc, "on-ice-candidate", G_CALLBACK(on_candidate), NULL);
  g_signal_connect(webrtc, "pad-added", G_CALLBACK(on_incoming), NULL);
  gst_element_set_state(pipe_, GST_STATE_READY); // a data channel wants this
  GObject *channel = NULL;
  g_signal_emit_by_name(webrtc, "create-data-channel", "channel", NULL, &channel);
  g_clear_object(&channel);
  gst_element_set_state(pipe_, GST_STATE_PLAYING);
}

// first is the first payload type of a codec in a description, or the one given.
static int first(const char *text, const char *codec, int otherwise) {
  char *pattern = g_strdup_printf("a=rtpmap:(\\d+) %s/", codec);
  GRegex *regex = g_regex_new(pattern, G_REGEX_CASELESS, 0, NULL);
  GMatchInfo *match = NULL;
  if (g_regex_match(regex, text, 0, &match)) {
    char *number = g_match_info_fetch(match, 1);
    otherwise = atoi(number);
    g_free(number);
  }
  g_match_info_free(match);
  g_regex_unref(regex);
  g_free(pattern);
  return otherwise;
}

static void hear(const char *word, guint number, const char *text) {
  if (!strcmp(word, "start") || !strcmp(word, "request")) {
    start(!strcmp(word, "request"));
  } else if (!strcmp(word, "offer")) {
    if (!pipe_) {
      if (of_2022) vp8 = first(text, "VP8", vp8), opus = first(text, "OPUS", opus);
      start(FALSE);
    }
    take(OFFER, text);
  } else if (!strcmp(word, "answer")) {
    take(ANSWER, text);
  } else if (!strcmp(word, "candidate")) {
    g_signal_emit_by_name(webrtc, "add-ice-candidate", number, text);
  }
}

static gpointer report(gpointer unused) {
  for (int i = 0;; i = !i) {
    g_usleep(REPORT_MS * 1000);
    say(i ? "audio" : "video", g_atomic_int_get(&frames[i]), "");
  }
  return NULL;
}

int main(int argc, char **argv) {
  gst_init(NULL, NULL);
  of_2022 = argc > 1 && !strcmp(argv[1], "2022");
  g_thread_new("report", report, NULL);
  char word[16];
  guint number;
  size_t length;
  static char text[MOST + 1];
  while (scanf("%15s %u %zu", word, &number, &length) == 3 && length <= MOST) {
    if (getchar() != '\n' || fread(text, 1, length, stdin) != length) break;
    text[length] = 0;
    hear(word, number, text);
  }
  return 0;
}
