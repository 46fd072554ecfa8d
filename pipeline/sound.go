package pipeline

import (
	"cmp"
	"strings"
)

// audioGraph captures and encodes the sound; nil where none is sent.
func audioGraph(a AudioSource, bitrate int) Graph {
	var source Graph
	switch {
	case a.None, a.Silent:
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

// silenceBitrate in bit/s is the least that Opus takes.
const silenceBitrate = 6000

// silenceGraph is what is sent while the microphone is gone, or not there yet; nil where none is asked for. A viewer's sound then
// goes on when the microphone comes, and a media server does not wait for it. Long frames at the least bitrate are 9 kbit/s with
// all headers.
func silenceGraph(a AudioSource) Graph {
	if a.None || a.Test {
		return nil
	}
	return Graph{
		El("audiotestsrc", "is-live=true", "wave=silence", "samplesperbuffer=2880"),
		Filter("audio/x-raw,rate=48000,channels=1"),
		El("opusenc", "bitrate="+itoa(silenceBitrate), "frame-size=60"), outEnd(8),
	}
}

// heardCaps are the frames that all viewers' sound is made into, so that the speaker need not be opened anew for another talker.
const heardCaps = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=2"

// heardFrames is how many decoded frames of 20 ms may wait at the end of a viewer's graph. The fan takes each of them at once.
const heardFrames = 8

// hearGraph decodes a viewer's sound, measures its audio level, and ends where the speaker's fan takes the frames. The queue drops what is
// older than 0.2 s, so that late sound does not delay what follows. The graph is the same where there is no speaker: one may be plugged in
// later.
func hearGraph(s AudioSink) Graph {
	if s.None {
		return dropGraph()
	}
	return Graph{
		El("queue", "leaky=downstream", "max-size-time=200000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"), El("audioconvert"), El("audioresample"), El("level", "interval=200000000", "post-messages=true"),
		Filter(heardCaps), outEnd(heardFrames),
	}
}

// waitingFrames is how many frames of 20 ms may wait for the card: as long as in a viewer's queue. Then the oldest is dropped.
const waitingFrames = 10

// speakerName is the sink's name in its graph. By GStreamer's own names, which count, each try to open the speaker would fail in other words.
const speakerName = "speaker"

// speakGraph plays what viewers say; nil without a speaker. It is a pipeline of its own: what the speaker does ends no viewer.
func speakGraph(s AudioSink) Graph {
	if s.PCM == "" {
		return nil
	}
	return Graph{
		El("appsrc", "is-live=true", "format=time", "leaky-type=downstream", "max-buffers="+itoa(waitingFrames), "max-bytes=0", "max-time=0").Named(InName),
		El("audioconvert"), El("audioresample"),
		El("alsasink", "device="+sharedPCM(s.PCM), "sync=false", "async=false", "buffer-time=100000", "name="+speakerName),
	}
}

// sharedPCM is the name by which ALSA also converts what the card itself does not take.
func sharedPCM(pcm string) string {
	if strings.HasPrefix(pcm, "hw:") {
		return "plug" + pcm
	}
	return pcm
}

// seeGraph shows incoming video on the board's screen.
func seeGraph(display bool) Graph {
	if !display {
		return dropGraph()
	}
	return Graph{
		El("queue", "leaky=downstream", "max-size-time=500000000", "max-size-buffers=0", "max-size-bytes=0").Named(InName),
		El("decodebin"), El("videoconvert"), El("autovideosink", "sync=false"),
	}
}

// dropGraph drops what comes in although nobody wants it, before it is decoded.
func dropGraph() Graph { return Graph{El("fakesink", "sync=false", "async=false").Named(InName)} }
