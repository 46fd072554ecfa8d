// The C half of pipeline/gst: what runs on GStreamer's own threads.
//
// Three things live here: fans (one appsink's buffers to many appsrcs), stages (a producing pipeline's bus and ends) and
// peers (a pipeline around webrtcbin). None of them holds a Go pointer: a Go object is known by an integer handle, and
// everything that happens is told to Go by mediaEvent, which copies and never blocks.
#pragma once

#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <stdint.h>

// Kinds of event; the Go side has the same list (event.go), and a test compares the two.
enum {
  EV_ERROR = 1,      // text: the message, then a newline and the debug text; a: 1 resource, 2 stream, 0 other; b: error code
  EV_WARNING = 2,    // as EV_ERROR
  EV_EOS = 3,
  EV_KEY_WANTED = 4, // a consumer of a coded fan needs a keyframe
  EV_NEGOTIATE = 5,
  EV_DESCRIPTION = 6, // a: 0 offer, 1 answer; text: the SDP
  EV_SET_DONE = 7,    // a: 0 local, 1 remote; text: error or empty
  EV_CANDIDATE = 8,   // a: m-line index; text: candidate
  EV_CONNECTION = 9,  // a: GstWebRTCPeerConnectionState
  EV_ICE = 10,        // a: GstWebRTCICEConnectionState
  EV_GATHERING = 11,  // a: GstWebRTCICEGatheringState
  EV_CHANNEL_OPEN = 12, // a: index of the channel
  EV_CHANNEL_TEXT = 13, // a: index; text: the message
  EV_CHANNEL_CLOSED = 14,
  EV_INCOMING = 15, // text: media of the new incoming stream, "audio" or "video"
  EV_LEVEL = 16,    // x: RMS of incoming audio, dB
  EV_FIRST = 17,    // a stage's first buffer reached its fan, which from then on takes from this stage
  EV_CLOSED = 18,   // the other side closed the connection
};

// PacketFate is one packet of a viewer's report, which mediaReports hands to Go: times in ns, arrived by the viewer's clock.
typedef struct {
  int64_t sent, arrived;
  uint32_t seq, size;
  gboolean lost;
} PacketFate;

typedef struct {
  uintptr_t handle; // of the viewer
  int64_t at;
  int count;
  PacketFate fates[];
} Report;

// REPORT_PACKETS bounds a report; of a larger one the newest are kept.
enum { REPORT_PACKETS = 512 };

typedef struct Fan Fan;
typedef struct Tap Tap;
typedef struct Packer Packer;
typedef struct Stamp Stamp;
typedef struct Stage Stage;
typedef struct Peer Peer;

typedef struct {
  uint64_t frames, bytes, keyframes;
  uint64_t key_bytes; // of the newest keyframe
  int64_t last_us;  // g_get_monotonic_time() of the newest buffer, 0 for none yet
} FanCount;

typedef struct {
  uint64_t pushed, dropped;
} TapCount;

// media_epoch is the base time that every consuming pipeline has: a fan's time stamps are running times against it.
GstClockTime media_epoch(void);

Fan *fan_new(gboolean coded, uintptr_t handle);
Fan *fan_ref(Fan *f);
void fan_unref(Fan *f);
void fan_count(Fan *f, FanCount *out);
// fan_consumers is how many taps the fan has.
guint fan_consumers(Fan *f);
// fan_caps is what the newest buffer was, NULL before the first; the caller frees it.
gchar *fan_caps(Fan *f);
typedef enum {
  TAKEN,
  TAKEN_FIRST,   // source is new to the fan
  TAKEN_REFUSED, // of many frames in a row no packets can be made
} Taken;

// fan_take hands on what sink holds, unless the stage is muted or a later one fills the fan.
Taken fan_take(Fan *f, GstAppSink *sink, guint64 source, const gint *muted);
// fan_release lets an earlier stage fill the fan again.
void fan_release(Fan *f, guint64 source);

// fan_tap adds a consumer; it holds a reference on src. A coded tap starts paused; an appsrc that holds max buffers loses
// whole groups: everything up to the next keyframe. max 0 leaves the bound to the appsrc. One with a stamp gets packets, which
// the payloader (launch syntax, the same for all of a fan) makes; NULL when there is no such element.
Tap *fan_tap(Fan *f, GstElement *src, guint max, gboolean paused, const char *payloader, Stamp *stamp);
// tap_resume ends the pause: a tap that takes packets gets the newest keyframe at once if it is fresh, and all from the next one on.
void tap_resume(Tap *t);
// tap_spare gives the consumer of a coded fan keyframes only, or everything again, from the next keyframe on.
void tap_spare(Tap *t, gboolean keyframes_only);
// tap_move lets another coded fan feed the consumer, with everything of it, from its next keyframe on; until then the one
// before does. A move that is under way is given up.
void tap_move(Tap *t, Fan *f);
// tap_moved is FALSE while a move is under way.
gboolean tap_moved(Tap *t);
void tap_count(Tap *t, TapCount *out);
void tap_free(Tap *t);

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

typedef struct {
  const char *stun;        // NULL for none
  const char **turn;       // NULL-terminated
  const char **addresses;  // of this machine, to be tried; NULL-terminated, empty for all
  const char *audio_graph; // what decodes incoming audio, launch syntax
  const char *video_graph;
  gboolean ice_tcp;
} PeerOptions;

// packer_new starts a payloader; packer_pack makes a list of packets of a frame, NULL when it refuses. Of a broken one no packets
// come any more.
Packer *packer_new(const char *payloader);
gboolean packer_broken(Packer *p);
GstBufferList *packer_pack(Packer *p, GstBuffer *frame, GstCaps *caps);
void packer_free(Packer *p);

// tune_agent sets up the ICE agent of a webrtcbin.
void tune_agent(GstElement *webrtc, const PeerOptions *o);
// tune_streams bounds how many streams a webrtcbin takes apart, each with a jitter buffer and its thread.
void tune_streams(GstElement *webrtc);
// straighten has lists of packets pass whole through the bin in which webrtcbin's rtpulpfecenc is.
void straighten(GstElement *bin);
// quiet_data is called before a webrtcbin goes to NULL, release_data after: its data channels' sender can then be freed.
void quiet_data(GstElement *webrtc);
void release_data(GstElement *webrtc);

Peer *peer_new(GstElement *pipe, const PeerOptions *o, uintptr_t handle, const char **err);
// peer_media makes a sending transceiver; direction is one of webrtcbin's nicks. index -1 takes the next m-line.
gboolean peer_media(Peer *p, int slot, int index, const char *preferences, const char *direction);
gboolean peer_channel(Peer *p, const char *label);
void peer_offer(Peer *p);
void peer_answer(Peer *p);
const char *peer_set(Peer *p, gboolean remote, gboolean offer, const char *sdp);
void peer_candidate(Peer *p, guint mline, const char *candidate);
// peer_take says of which payload types RTP may come in; at first it is of none.
void peer_take(Peer *p, const int *types, int n);
// Packets are how a fan's frames reach a viewer.
typedef struct {
  const char *payloader; // launch syntax
  int type;              // the payload type
  uint32_t source;       // SSRC; 0 leaves it to webrtcbin
  int numbers;           // id of the header extension that numbers packets, 0 for none
  const char *extension; // caps of that
} Packets;

// peer_attach links a source of packets to the slot's pad and taps the fan, paused.
Tap *peer_attach(Peer *p, int slot, const Packets *k, Fan *f, guint max, const char **err);
// Resent bounds what a viewer is sent again, by what its reports say. It has references (g_atomic_rc_box_acquire).
typedef struct Resent Resent;
Resent *resent_new(void);
void resent_unref(gpointer r);
// report_watch tells r, t and Go of each report that comes up through the pad.
void report_watch(GstPad *pad, uintptr_t handle, Resent *r, Stamp *t);
// report_extensions completes a caps event of the sending session with the header extensions, of which it takes charge.
GstEvent *report_extensions(GstEvent *caps, const GstCaps *extensions);
// resent_learn takes what a report says of the time that one takes, and of how much arrives.
void resent_learn(Resent *r, const Report *report);
// resent_first sends the first packet of a keyframe, which has just been sent, once or twice more where packets are lost, before
// the next one goes: it waits until they have left, for some milliseconds at most. Calls are made on the thread that sends.
void resent_first(Resent *r, guint ssrc, uint16_t seq);
// resent_again sends n packets from that number on, of a keyframe that has just been sent, once more where that is wise.
void resent_again(Resent *r, guint ssrc, uint16_t from, guint n);
// resent_forget leaves what was sent up to the packet of that number: a keyframe is to follow, and what else is on its way is to
// leave room for it.
void resent_forget(Resent *r, uint16_t newest);
// resent_key tells r that a keyframe follows the packet of that number.
void resent_key(Resent *r, uint16_t before);
// resend_limit lets an rtprtxsend send again what r allows.
void resend_limit(GstElement *rtx, Resent *r);
// packets_caps are those of what the pad was agreed to take, with the payload type; NULL when there are none.
GstCaps *packets_caps(GstPad *pad, const Packets *k);
// stamp_new makes a viewer's own numbering, by the caps of its packets (payload, clock-rate and ssrc); NULL when one is missing.
// It has references (g_atomic_rc_box_acquire). numbers is the id of the extension, 0 for none; r may be NULL.
Stamp *stamp_new(const GstCaps *caps, guint numbers, Resent *r);
void stamp_unref(gpointer t);
// stamp_packets makes of a frame's packets the viewer's own, for the appsrc that stamp_watch was told of: one that is given a list
// which is not its own may read it (1.22) after it let go of it. NULL when none of them is RTP. Calls are made under the tap's lock.
GstBufferList *stamp_packets(Stamp *t, GstBufferList *packets);
// stamp_split takes from a keyframe's packets all but the first, which goes alone and is repeated at once where packets are lost;
// NULL where nothing is to be split. If the first packet, with the parameter sets, comes after others, Chromium 156 takes the
// picture to be of the size before, and decodes nothing from there to the next keyframe.
GstBufferList *stamp_split(const Stamp *t, GstBufferList *packets);
void stamp_watch(Stamp *t, GstElement *src);
// stamp_waiting is how many frames have not left the appsrc.
gint stamp_waiting(Stamp *t);
uint16_t stamp_newest(Stamp *t);
// stamp_reported notes a report on packets of which the newest left at that time, in ns of the system's clock.
void stamp_reported(Stamp *t, int64_t sent);
gboolean peer_send(Peer *p, int channel, const char *text);
// peer_rtcp_us is the monotonic time of the newest RTCP from the other side, 0 for none yet.
int64_t peer_rtcp_us(Peer *p);
// peer_spare tells that the video's next frame is to be a keyframe.
void peer_spare(Peer *p);
// peer_quiet waits until what was asked of webrtcbin is done, for some seconds at most, before the pipeline goes to NULL; peer_free comes after.
void peer_quiet(Peer *p);
void peer_free(Peer *p);

void media_warm_dtls(void);
void media_give_back(void);
void media_bus(GstElement *pipe, uintptr_t handle);
// media_clock gives pipe the system clock.
void media_clock(GstElement *pipe);
// media_consume gives pipe the system clock and the epoch as its base time: its buffers come from fans, already stamped.
void media_consume(GstElement *pipe);
