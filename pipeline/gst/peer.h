// Peers: one viewer's pipeline each.
#pragma once

#include "fan.h"

typedef struct Peer Peer;

typedef struct {
  const char *stun;        // NULL for none
  const char **turn;       // NULL-terminated
  const char **addresses;  // of this machine, to be tried; NULL-terminated, empty for all
  const char *audio_graph; // what decodes incoming audio, launch syntax
  const char *video_graph;
  gboolean ice_tcp;
} PeerOptions;

Peer *peer_new(GstElement *pipe, const PeerOptions *o, uintptr_t handle, const char **err);
// peer_media makes a sending transceiver; direction is one of webrtcbin's nicks. index -1 takes the next m-line.
gboolean peer_media(Peer *p, int slot, int index, const char *preferences, const char *direction);
gboolean peer_channel(Peer *p, const char *label);
void peer_offer(Peer *p);
void peer_answer(Peer *p);
const char *peer_set(Peer *p, gboolean remote, gboolean offer, const char *sdp);
void peer_candidate(Peer *p, guint section, const char *candidate);
// peer_allow says of which payload types RTP may come in; at first it is of none.
void peer_allow(Peer *p, const int *types, int n);
// peer_attach links a source of packets to the slot's pad and subscriptions the fan, paused.
Subscription *peer_attach(Peer *p, int slot, const Packets *k, Fan *f, guint max, const char **err);
gboolean peer_send(Peer *p, int channel, const char *text);
// peer_rtcp_us is the monotonic time of the newest RTCP from the other side, 0 for none yet.
int64_t peer_rtcp_us(Peer *p);
// peer_keyframe_follows tells that the video's next frame is to be a keyframe.
void peer_keyframe_follows(Peer *p);
// peer_quiet waits until what was asked of webrtcbin is done, for some seconds at most, before the pipeline goes to NULL; peer_free comes after.
void peer_quiet(Peer *p);
void peer_free(Peer *p);
