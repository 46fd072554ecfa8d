// The C half of pipeline/gst: what runs on GStreamer's own threads.
//
// A fan hands the frames of one appsink to many appsrcs. A stage is a pipeline that makes frames. A peer is one viewer's pipeline,
// around a webrtcbin. C holds no Go pointer: it knows a Go object by an integer, its handle. What happens is told to Go by mediaEvent,
// which copies its arguments and never blocks.
//
// This header is what all of them share. Each other header is that of the C file with its name.
#pragma once

#include <gst/gst.h>
#include <stdint.h>

// Kinds of event that mediaEvent tells of, with what its arguments a, b, text and x are.
enum {
  EV_ERROR = 1,      // text: the message, then a newline and the debug text; a: 1 resource, 2 stream, 0 other; b: error code
  EV_WARNING = 2,    // as EV_ERROR
  EV_EOS = 3,
  EV_KEYFRAME_REQUEST = 4, // a subscription of a coded fan needs a keyframe; a: 1 if its viewer requests it
  EV_NEGOTIATE = 5,
  EV_DESCRIPTION = 6, // a: 0 offer, 1 answer; text: the SDP
  EV_SET_DONE = 7,    // a: 0 local, 1 remote; text: error or empty
  EV_CANDIDATE = 8,   // a: the section's number; text: the ICE candidate
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
  EV_DROPPED = 19,  // an incoming stream cannot be played, and is dropped; a: its slot; text: as EV_ERROR
};

// media_epoch is the base time of each pipeline that takes frames from a fan: a fan's time stamps count from it.
GstClockTime media_epoch(void);

// media_warm_dtls begins to make the program's DTLS key, on a thread of its own.
void media_warm_dtls(void);
// media_bus has Go told of errors, warnings, the end of the stream and the audio level.
void media_bus(GstElement *pipe, uintptr_t handle);
// media_problem is the text of an error or a warning, as EV_ERROR has it, which the caller frees; with its domain and code.
gchar *media_problem(GstMessage *m, int *domain, int *code);
// media_clock gives pipe the system clock.
void media_clock(GstElement *pipe);
// media_consume gives pipe the system clock, and the epoch as its base time. It is for a pipeline whose frames come from fans.
void media_consume(GstElement *pipe);
