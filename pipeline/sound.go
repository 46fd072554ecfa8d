package pipeline

import "cmp"

// audioGraph captures and encodes the sound; nil where none is sent.
func audioGraph(a AudioSource, bitrate int) Graph {
	var source Graph
	switch {
	case a.None:
		return nil
	case a.Test:
		source = Graph{El("audiotestsrc", "is-live=true", "wave=ticks", "freq=880", "volume=0.2", "samplesperbuffer=960")}
	default:
		source = Graph{El("alsasrc", "device="+a.PCM, "buffer-time=200000", "latency-time=20000")}
	}
	return append(source,
		El("audioconvert"), El("audioresample"), Filter("audio/x-raw,rate=48000,channels=[1,2]"),
		El("opusenc", "bitrate="+itoa(cmp.Or(bitrate, defaultAudioBitrate)), "frame-size=20", "inband-fec=true", "packet-loss-percentage=5"),
		outEnd(8))
}

// hearGraph plays incoming sound. A viewer that is late is not waited for: the queue drops what is older than 0.2 s.
func hearGraph(s AudioSink) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=200000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"), El("audioconvert"), El("audioresample"), El("level", "interval=200000000", "post-messages=true"),
	}
	if s.PCM == "" {
		return append(g, El("fakesink", "sync=false", "async=false"))
	}
	return append(g, El("alsasink", "device="+s.PCM, "sync=false", "async=false", "buffer-time=100000"))
}

// seeGraph shows incoming video on the board's screen, or decodes and drops it.
func seeGraph(display bool) Graph {
	g := Graph{
		El("queue", "leaky=downstream", "max-size-time=500000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"),
	}
	if display {
		return append(g, El("videoconvert"), El("autovideosink", "sync=false"))
	}
	return append(g, El("fakesink", "sync=false", "async=false"))
}
