// The C half of pipeline/gst: what runs on GStreamer's own threads.
//
// Three things live here: fans (one appsink's buffers to many appsrcs), stages (a producing pipeline's bus and ends) and
// peers (a pipeline around webrtcbin). None of them holds a Go pointer: a Go object is known by an integer handle, and
// everything that happens is told to Go by mediaEvent, which copies and never blocks.
//
// This header is of what all of them share. Each C file has a header of its own name.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// Kinds of event; the Go side has the same list (event.go), and a test compares the two.
enum {
  EV_ERROR = 1,      // text: the message, then a newline and the debug text; a: 1 resource, 2 stream, 0 other; b: error code
  EV_WARNING = 2,    // as EV_ERROR
  EV_EOS = 3,
  EV_KEYFRAME_REQUEST = 4, // a consumer of a coded fan needs a keyframe
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

// media_epoch is the base time that every consuming pipeline has: a fan's time stamps are running times against it.
GstClockTime media_epoch(void);

// media_warm_dtls begins to make the key of DTLS, on a thread of its own.
void media_warm_dtls(void);
// media_bus has errors, warnings, the end of the stream and the level of sound told to Go.
void media_bus(GstElement *pipe, uintptr_t handle);
// media_clock gives pipe the system clock.
void media_clock(GstElement *pipe);
// media_consume gives pipe the system clock and the epoch as its base time: its buffers come from fans, already stamped.
void media_consume(GstElement *pipe);
