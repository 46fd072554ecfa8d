// What is changed inside a webrtcbin.
#pragma once

#include "peer.h"

// tune_agent sets up the ICE agent.
void tune_agent(GstElement *webrtc, const PeerOptions *o);
// tune_streams bounds the streams that a viewer may send, since rtpbin makes a jitter buffer with a thread for each.
void tune_streams(GstElement *webrtc);
// straighten takes redundancy out of the way of packets, of which each list then stays whole. bin is the one with the rtpulpfecenc.
void straighten(GstElement *bin);
// quiet_data is called before the webrtcbin goes to NULL, and release_data after that. Without them the end of a viewer can wait for ever
// for its sctpenc, which sends the data channels' messages.
void quiet_data(GstElement *webrtc);
void release_data(GstElement *webrtc);
