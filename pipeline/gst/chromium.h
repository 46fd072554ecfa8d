// A fault of Chromium's, and what is done about it. A row of faults_test.go says when this file is deleted.
#pragma once

#include "rtx.h"

// chromium_split takes from a keyframe's packets all but the first, and returns them; NULL where there is one packet alone.
GstBufferList *chromium_split(GstBufferList *keyframe);
// chromium_first_packet is called when a keyframe's first packet has been sent, on the thread that sends, before the next packet is.
// Where packets are lost it sends the packet once or twice more, and waits until the copies have left, 20 ms at most.
void chromium_first_packet(Rtx *r, guint ssrc, guint16 seq);
