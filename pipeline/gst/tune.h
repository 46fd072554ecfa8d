// What is set right inside webrtcbin.
#pragma once

#include "peer.h"

// tune_agent sets up the ICE agent of a webrtcbin.
void tune_agent(GstElement *webrtc, const PeerOptions *o);
// tune_streams bounds how many streams a webrtcbin takes apart, each with a jitter buffer and its thread.
void tune_streams(GstElement *webrtc);
// straighten has lists of packets pass whole through the bin in which webrtcbin's rtpulpfecenc is.
void straighten(GstElement *bin);
// quiet_data is called before a webrtcbin goes to NULL, release_data after: its data channels' sender can then be freed.
void quiet_data(GstElement *webrtc);
void release_data(GstElement *webrtc);
