// A peer: one viewer's pipeline.
#pragma once

#include "subscription.h"

typedef struct Peer Peer;

typedef struct {
  const char *stun;        // NULL for none
  const char **turn;       // NULL-terminated
  const char **addresses;  // those of this machine that are used; NULL-terminated, empty for all
  guint port;              // of UDP and TCP at each of them; 0 for any that is free
  const char *audio_graph; // what decodes incoming audio, launch syntax
  const char *video_graph; // the same for incoming video
  Fan *heard;              // takes decoded audio from an appsink "out" of audio_graph; NULL where it is dropped
  gboolean ice_tcp;        // offer ICE candidates of TCP too
} PeerOptions;

// peer_new adds a webrtcbin to pipe, and takes its bus. NULL, with a text in *err, when there is no webrtcbin.
Peer *peer_new(GstElement *pipe, const PeerOptions *o, uintptr_t handle, const char **err);
// peer_media adds a section in which the slot's packets are sent. direction is one of webrtcbin's nicks. index -1 takes the next
// section. FALSE when webrtcbin refuses.
gboolean peer_media(Peer *p, int slot, int index, const char *preferences, const char *direction);
// peer_channel makes a data channel; FALSE when there is no plugin for SCTP.
gboolean peer_channel(Peer *p, const char *label);
// peer_offer and peer_answer have a description made. Go gets it by EV_DESCRIPTION.
void peer_offer(Peer *p);
void peer_answer(Peer *p);
// peer_set has a description applied; Go is told when that is done. It returns what is wrong with the text, or NULL.
const char *peer_set(Peer *p, gboolean remote, gboolean offer, const char *sdp);
// peer_candidate adds an ICE candidate of the other side.
void peer_candidate(Peer *p, guint section, const char *candidate);
// peer_allow sets the payload types whose RTP is let in. Before the first call no RTP is let in.
void peer_allow(Peer *p, const int *types, int n);
// peer_hear lets the viewer's decoded sound into the fan of the options, or keeps it out, as it is before the first call.
void peer_hear(Peer *p, gboolean on);
// peer_attach subscribes the slot to a fan, unconnected. NULL, with a text in *err, when the section does not take such packets.
Subscription *peer_attach(Peer *p, int slot, const Packets *k, Fan *f, guint max, const char **err);
// peer_send sends a message on a data channel; FALSE when it cannot be sent now.
gboolean peer_send(Peer *p, int channel, const char *text);
// peer_rtcp_us is when the newest RTCP of the viewer's came, by g_get_monotonic_time(); 0 for none yet.
int64_t peer_rtcp_us(Peer *p);
// peer_keyframe_follows tells that the next frame of the video will be a keyframe: nothing from before it is sent again.
void peer_keyframe_follows(Peer *p);
// peer_quiet is called before the pipeline goes to NULL. It waits until webrtcbin has done what it was asked for, some seconds at most.
void peer_quiet(Peer *p);
// peer_free is called when the pipeline is in NULL.
void peer_free(Peer *p);
