//go:build !nogst

// A peer is one viewer's pipeline: a webrtcbin, the appsrcs that feed it, and the graphs that play what the viewer sends.
//
// libgstwebrtc's header is not needed to build: of its types only the session description is used, by the copy of its struct below.
//
// Each signal handler holds a reference on the Peer, and gives it back when it is disconnected. So no handler runs on freed memory.

#include "channels.h"
#include "ingress.h"
#include "media.h"
#include "peer.h"
#include "receiver.h"
#include "report.h"
#include "tune.h"
#include "_cgo_export.h"

#include <gst/sdp/sdp.h>

// A viewer's slots: video and sound, in the order of pipeline.Slot.
enum { VIDEO = 0, AUDIO = 1, SLOTS = 2 };
// Incoming streams that are played; a further one is thrown away. It is as many as there may be SSRCs of RTP.
enum { INCOMING = 4 };
// us: for this long the end of a viewer waits for webrtcbin. It takes milliseconds, on a busy board a second.
enum { QUIET_US = 3000000 };
// ms: how long webrtcbin's jitter buffers hold a viewer's sound back. Talkback bears that, and Wi-Fi needs it.
enum { JITTER_MS = 60 };
enum { DTLS_CLOSED = 1 }; // GstDtlsConnectionState

typedef struct {
  int type; // GstWebRTCSDPType: 1 offer, 3 answer
  GstSDPMessage *sdp;
} Description;

struct Peer {
  GstElement *pipe, *webrtc;
  uintptr_t handle;
  char *audio_graph, *video_graph;
  GstPad *pads[SLOTS];
  GMutex lock; // guards twcc_caps, stamp and tasks
  GCond done;  // a task is done
  int tasks;   // that webrtcbin was asked for and has not done
  Channels *channels;
  GstCaps *twcc_caps; // they name the video's TWCC extension; NULL for none
  Stamp *stamp;        // of the video, NULL before it is attached
  Rtx *rtx;
  Ingress *ingress;
  gint incoming;
  Hearing *hearing;
  int64_t rtcp_us; // atomic, as peer_rtcp_us
};

static void peer_clear(gpointer data) {
  Peer *p = data;
  g_free(p->audio_graph);
  g_free(p->video_graph);
  gst_clear_caps(&p->twcc_caps);
  g_clear_pointer(&p->stamp, stamp_unref);
  hearing_unref(p->hearing);
  rtx_unref(p->rtx);
  ingress_unref(p->ingress);
  channels_unref(p->channels);
  g_cond_clear(&p->done);
  g_mutex_clear(&p->lock);
}

static void peer_unref(gpointer p, GClosure *unused) { g_atomic_rc_box_release_full(p, peer_clear); }

static void listen(gpointer object, const char *signal, GCallback cb, Peer *p) {
  g_signal_connect_data(object, signal, cb, g_atomic_rc_box_acquire(p), peer_unref, 0);
}

// ---- what webrtcbin says

static void on_negotiation_needed(GstElement *w, Peer *p) { mediaEvent(p->handle, EV_NEGOTIATE, 0, 0, NULL, 0); }

// An empty candidate is how 1.24 tells the end of the list. on_gathering tells Go of that.
static void on_candidate(GstElement *w, guint section, gchar *candidate, Peer *p) {
  if (candidate && *candidate)
    mediaEvent(p->handle, EV_CANDIDATE, section, 0, candidate, 0);
}

static void tell_state(GObject *o, GParamSpec *spec, Peer *p, int kind) {
  gint state = 0;
  g_object_get(o, spec->name, &state, NULL);
  mediaEvent(p->handle, kind, state, 0, NULL, 0);
}

static void on_connection(GObject *o, GParamSpec *s, Peer *p) { tell_state(o, s, p, EV_CONNECTION); }
static void on_ice(GObject *o, GParamSpec *s, Peer *p) { tell_state(o, s, p, EV_ICE); }
static void on_gathering(GObject *o, GParamSpec *s, Peer *p) { tell_state(o, s, p, EV_GATHERING); }

// ---- data channels

static void on_data_channel(GstElement *w, GObject *channel, Peer *p) {
  if (!channels_add(p->channels, channel))
    g_signal_emit_by_name(channel, "close");
}

gboolean peer_channel(Peer *p, const char *label) {
  GObject *o = NULL;
  g_signal_emit_by_name(p->webrtc, "create-data-channel", label, NULL, &o);
  if (o == NULL)
    return FALSE;
  gboolean ok = channels_add(p->channels, o);
  g_object_unref(o);
  return ok;
}

gboolean peer_send(Peer *p, int channel, const char *text) { return channels_send(p->channels, channel, text); }

// ---- what comes in

void peer_hear(Peer *p, gboolean on) { hearing_mute(p->hearing, !on); }

static void on_pad(GstElement *w, GstPad *pad, Peer *p) {
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC)
    return;
  GstCaps *caps = gst_pad_get_current_caps(pad);
  const char *media = caps ? gst_structure_get_string(gst_caps_get_structure(caps, 0), "media") : NULL;
  gboolean audio = g_strcmp0(media, "audio") == 0;
  gboolean known = media && g_atomic_int_add(&p->incoming, 1) < INCOMING;
  GstElement *bin = known ? receiver_new(audio ? p->audio_graph : p->video_graph, audio ? AUDIO : VIDEO, p->handle) : NULL;
  if (bin == NULL)
    bin = receiver_new("fakesink name=in sync=false async=false", VIDEO, p->handle);
  receiver_start(bin, p->pipe, pad, p->hearing);
  if (known)
    mediaEvent(p->handle, EV_INCOMING, 0, 0, (char *)media, 0);
  gst_clear_caps(&caps);
}

// RTCP is the sign that a viewer lives: webrtcbin 1.22 tells of neither a closed nor a vanished browser.
static GstPadProbeReturn on_rtcp(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  __atomic_store_n(&((Peer *)data)->rtcp_us, g_get_monotonic_time(), __ATOMIC_RELAXED);
  return GST_PAD_PROBE_OK;
}

static void probe_unref(gpointer p) { peer_unref(p, NULL); }

static GstPadProbeReturn on_session_caps(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
  Peer *p = data;
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  g_mutex_lock(&p->lock);
  GstCaps *twcc_caps = p->twcc_caps ? gst_caps_ref(p->twcc_caps) : NULL;
  g_mutex_unlock(&p->lock);
  if (twcc_caps)
    GST_PAD_PROBE_INFO_DATA(info) = report_extensions(GST_PAD_PROBE_INFO_EVENT(info), twcc_caps);
  gst_clear_caps(&twcc_caps);
  return GST_PAD_PROBE_OK;
}

static void on_session_pad(GstElement *session, GstPad *pad, Peer *p) {
  if (g_strcmp0(GST_PAD_NAME(pad), "recv_rtcp_sink") == 0) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_rtcp,
                      g_atomic_rc_box_acquire(p), probe_unref);
    ingress_watch_rtcp(p->ingress, pad);
  }
  if (g_strcmp0(GST_PAD_NAME(pad), "send_rtp_sink") == 0)
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_session_caps, g_atomic_rc_box_acquire(p), probe_unref);
}

// A browser or a server that closes a connection in order sends an alert of DTLS. webrtcbin (1.22) does not pass that on.
static void on_dtls(GObject *o, GParamSpec *s, Peer *p) {
  gint state = 0;
  g_object_get(o, "connection-state", &state, NULL);
  if (state == DTLS_CLOSED)
    mediaEvent(p->handle, EV_CLOSED, 0, 0, NULL, 0);
}

static void add_session(GstElement *e, Peer *p) { listen(e, "pad-added", G_CALLBACK(on_session_pad), p); }
static void add_rtxsend(GstElement *e, Peer *p) { rtx_limit(p->rtx, e); }
static void add_redundancy(GstElement *e, Peer *p) { straighten(GST_ELEMENT(GST_OBJECT_PARENT(e))); }
static void add_decrypter(GstElement *e, Peer *p) { ingress_watch_srtp(p->ingress, e); }
static void add_receiver(GstElement *e, Peer *p) { ingress_watch_sctp(p->ingress, e); }
static void add_dtls(GstElement *e, Peer *p) { listen(e, "notify::connection-state", G_CALLBACK(on_dtls), p); }

// What is done with an element that webrtcbin makes, by the factory that made it.
static const struct {
  const char *factory;
  void (*add)(GstElement *, Peer *);
} made[] = {
    {"rtpsession", add_session},    {"rtprtxsend", add_rtxsend}, {"rtpulpfecenc", add_redundancy},
    {"srtpdec", add_decrypter},     {"sctpdec", add_receiver},    {"dtlsdec", add_dtls},
};

static void on_element(GstBin *w, GstBin *sub, GstElement *e, Peer *p) {
  GstElementFactory *f = gst_element_get_factory(e);
  for (gsize i = 0; f && i < G_N_ELEMENTS(made); i++)
    if (g_strcmp0(GST_OBJECT_NAME(f), made[i].factory) == 0)
      made[i].add(e, p);
}

void peer_allow(Peer *p, const int *types, int n) { ingress_allow(p->ingress, types, n); }

int64_t peer_rtcp_us(Peer *p) { return __atomic_load_n(&p->rtcp_us, __ATOMIC_RELAXED); }

void peer_keyframe_follows(Peer *p) {
  g_mutex_lock(&p->lock);
  if (p->stamp)
    rtx_drop(p->rtx, stamp_newest(p->stamp));
  g_mutex_unlock(&p->lock);
}

// ---- life

Peer *peer_new(GstElement *pipe, const PeerOptions *o, uintptr_t handle, const char **err) {
  GstElement *w = gst_element_factory_make("webrtcbin", "webrtc");
  if (w == NULL) {
    *err = "make webrtcbin: no such element";
    return NULL;
  }
  gst_util_set_object_arg(G_OBJECT(w), "bundle-policy", "max-bundle");
  g_object_set(w, "latency", JITTER_MS, NULL);
  if (o->stun)
    g_object_set(w, "stun-server", o->stun, NULL);
  for (const char **t = o->turn; t && *t; t++) {
    gboolean ok = FALSE;
    g_signal_emit_by_name(w, "add-turn-server", *t, &ok);
  }
  tune_agent(w, o);
  tune_streams(w);
  Peer *p = g_atomic_rc_box_new0(Peer);
  p->pipe = gst_object_ref(pipe);
  p->webrtc = gst_object_ref(w);
  p->handle = handle;
  p->rtx = rtx_new();
  p->ingress = ingress_new(handle);
  p->channels = channels_new(handle);
  p->audio_graph = g_strdup(o->audio_graph);
  p->video_graph = g_strdup(o->video_graph);
  p->hearing = hearing_new(o->heard);
  g_mutex_init(&p->lock);
  g_cond_init(&p->done);
  listen(w, "deep-element-added", G_CALLBACK(on_element), p);
  listen(w, "on-negotiation-needed", G_CALLBACK(on_negotiation_needed), p);
  listen(w, "on-ice-candidate", G_CALLBACK(on_candidate), p);
  listen(w, "on-data-channel", G_CALLBACK(on_data_channel), p);
  listen(w, "pad-added", G_CALLBACK(on_pad), p);
  listen(w, "notify::connection-state", G_CALLBACK(on_connection), p);
  listen(w, "notify::ice-connection-state", G_CALLBACK(on_ice), p);
  listen(w, "notify::ice-gathering-state", G_CALLBACK(on_gathering), p);
  gst_bin_add(GST_BIN(pipe), w);
  media_bus(pipe, handle);
  media_consume(pipe);
  return p;
}

// A description that is applied while the pipeline goes to NULL makes a transport that is never freed: its receiving bin holds a pad probe
// that holds the bin (transportreceivebin.c, 1.22).
void peer_quiet(Peer *p) {
  g_mutex_lock(&p->lock);
  gint64 end = g_get_monotonic_time() + QUIET_US;
  for (gboolean in_time = TRUE; p->tasks > 0 && in_time;)
    in_time = g_cond_wait_until(&p->done, &p->lock, end);
  g_mutex_unlock(&p->lock);
  quiet_data(p->webrtc);
}

// peer_free is called with the pipeline in NULL: no callback runs or will run.
void peer_free(Peer *p) {
  g_signal_handlers_disconnect_by_data(p->webrtc, p);
  channels_leave(p->channels);
  for (int i = 0; i < SLOTS; i++)
    g_clear_object(&p->pads[i]);
  release_data(p->webrtc);
  gst_clear_object(&p->webrtc);
  gst_clear_object(&p->pipe);
  peer_unref(p, NULL);
}

// ---- offer, answer, candidates

gboolean peer_media(Peer *p, int slot, int index, const char *preferences, const char *direction) {
  char name[24] = "sink_%u";
  if (index >= 0)
    g_snprintf(name, sizeof name, "sink_%d", index);
  GstPad *pad = gst_element_request_pad_simple(p->webrtc, name);
  GstCaps *caps = gst_caps_from_string(preferences);
  if (pad == NULL || caps == NULL || p->pads[slot]) {
    g_clear_object(&pad);
    gst_clear_caps(&caps);
    return FALSE;
  }
  GObject *transceiver = NULL;
  g_object_get(pad, "transceiver", &transceiver, NULL);
  g_object_set(transceiver, "codec-preferences", caps, "do-nack", slot == VIDEO, NULL); // sound has no RTX
  gst_util_set_object_arg(transceiver, "direction", direction);
  g_object_unref(transceiver);
  gst_caps_unref(caps);
  p->pads[slot] = pad;
  return TRUE;
}

static const GstStructure *replied(GstPromise *promise) {
  return gst_promise_wait(promise) == GST_PROMISE_RESULT_REPLIED ? gst_promise_get_reply(promise) : NULL;
}

static void tell_description(GstPromise *promise, Peer *p, const char *field, int answer) {
  const GstStructure *reply = replied(promise);
  const GValue *v = reply ? gst_structure_get_value(reply, field) : NULL;
  if (v) {
    gchar *text = gst_sdp_message_as_text(((Description *)g_value_get_boxed(v))->sdp);
    mediaEvent(p->handle, EV_DESCRIPTION, answer, 0, text, 0);
    g_free(text);
  } else {
    gchar *text = reply ? gst_structure_to_string(reply) : g_strdup("interrupted");
    gchar *full = g_strdup_printf("create %s: %s\n", field, text);
    mediaEvent(p->handle, EV_ERROR, 0, 0, full, 0);
    g_free(full);
    g_free(text);
  }
  gst_promise_unref(promise);
}

static void tell_set(GstPromise *promise, Peer *p, int remote) {
  const GstStructure *reply = replied(promise);
  GError *err = NULL;
  if (reply && gst_structure_has_field(reply, "error"))
    gst_structure_get(reply, "error", G_TYPE_ERROR, &err, NULL);
  mediaEvent(p->handle, EV_SET_DONE, remote, 0, err ? err->message : NULL, 0);
  g_clear_error(&err);
  gst_promise_unref(promise);
}

static void on_offer(GstPromise *promise, gpointer p) { tell_description(promise, p, "offer", 0); }
static void on_answer(GstPromise *promise, gpointer p) { tell_description(promise, p, "answer", 1); }
static void on_set_local(GstPromise *promise, gpointer p) { tell_set(promise, p, 0); }
static void on_set_remote(GstPromise *promise, gpointer p) { tell_set(promise, p, 1); }

static void task_done(gpointer data) {
  Peer *p = data;
  g_mutex_lock(&p->lock);
  p->tasks--;
  g_cond_broadcast(&p->done);
  g_mutex_unlock(&p->lock);
  peer_unref(p, NULL);
}

// task emits an action signal. webrtcbin's thread does what it asks for, and then calls back.
static void task(Peer *p, const char *signal, gpointer subject, GstPromiseChangeFunc back) {
  g_mutex_lock(&p->lock);
  p->tasks++;
  g_mutex_unlock(&p->lock);
  g_signal_emit_by_name(p->webrtc, signal, subject, gst_promise_new_with_change_func(back, g_atomic_rc_box_acquire(p), task_done));
}

void peer_offer(Peer *p) { task(p, "create-offer", NULL, on_offer); }
void peer_answer(Peer *p) { task(p, "create-answer", NULL, on_answer); }

const char *peer_set(Peer *p, gboolean remote, gboolean offer, const char *text) {
  Description d = {offer ? 1 : 3, NULL};
  if (gst_sdp_message_new_from_text(text, &d.sdp) != GST_SDP_OK) {
    g_clear_pointer(&d.sdp, gst_sdp_message_free);
    return "parse session description";
  }
  task(p, remote ? "set-remote-description" : "set-local-description", &d, remote ? on_set_remote : on_set_local);
  gst_sdp_message_free(d.sdp);
  return NULL;
}

void peer_candidate(Peer *p, guint section, const char *candidate) {
  g_signal_emit_by_name(p->webrtc, "add-ice-candidate", section, candidate);
}

Subscription *peer_attach(Peer *p, int slot, const Packets *k, Fan *f, guint max, const char **err) {
  GstCaps *caps = p->pads[slot] ? packets_caps(p->pads[slot], k) : NULL;
  Stamp *stamp = caps ? stamp_new(caps, k->twcc_id, slot == VIDEO ? p->rtx : NULL) : NULL;
  GstElement *src = stamp ? gst_element_factory_make("appsrc", NULL) : NULL;
  Subscription *t = NULL;
  if (src == NULL) {
    *err = "the section takes no such packets";
  } else {
    // The appsrc has no bound of its own: it would drop single frames, where the subscription drops up to the next keyframe.
    g_object_set(src, "format", GST_FORMAT_TIME, "caps", caps, "max-bytes", G_GUINT64_CONSTANT(0), "max-buffers",
                 G_GUINT64_CONSTANT(0), "max-time", G_GUINT64_CONSTANT(0), NULL);
    gst_bin_add(GST_BIN(p->pipe), gst_object_ref(src));
    stamp_watch(stamp, src);
    GstPad *pad = gst_element_get_static_pad(src, "src");
    if (slot == VIDEO) {
      report_watch(pad, p->handle, p->rtx, stamp); // of one slot only: rtpsession sends each report up through both
      g_mutex_lock(&p->lock);
      p->twcc_caps = k->twcc_id ? gst_caps_from_string(k->twcc_caps) : NULL;
      p->stamp = g_atomic_rc_box_acquire(stamp);
      g_mutex_unlock(&p->lock);
    }
    if (gst_pad_link(pad, p->pads[slot]) != GST_PAD_LINK_OK)
      *err = "link packets to webrtcbin";
    else if ((t = fan_subscribe(f, src, max, TRUE, k->payloader, stamp)) == NULL)
      *err = "no such payloader";
    else
      gst_element_sync_state_with_parent(src);
    gst_object_unref(pad);
  }
  gst_clear_caps(&caps);
  g_clear_object(&src);
  g_clear_pointer(&stamp, stamp_unref);
  return t;
}
