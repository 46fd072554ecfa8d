// What is changed inside a webrtcbin.
#pragma once

#include "peer.h"

// tune_agent sets up the ICE agent.
void tune_agent(GstElement *webrtc, const PeerOptions *o);
// tune_streams bounds the streams that a viewer may send, since rtpbin makes a jitter buffer with a thread for each.
void tune_streams(GstElement *webrtc);
// straighten has packets bypass webrtcbin's elements for redundancy (RED and FEC), which would take each list of packets apart. bin is
// the bin that holds those elements, one of which is an rtpulpfecenc.
void straighten(GstElement *bin);
// quiet_data is called before the webrtcbin goes to NULL, and release_data after that. Without them the end of a viewer can wait for ever
// for its sctpenc, which sends the data channels' messages.
void quiet_data(GstElement *webrtc);
void release_data(GstElement *webrtc);
