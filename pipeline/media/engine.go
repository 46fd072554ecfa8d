package media

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/congestion"
)

// ErrStuck tells that a call of an engine did not come back in time. The stage or peer that it was called on is left behind.
var ErrStuck = errors.New("stuck: a call did not return in time")

// ErrEnded tells of a stage whose stream ended where none should.
var ErrEnded = errors.New("the stream ended")

// Engine runs graphs. Its calls may block, each for a bounded time, so the owner of a stage or peer calls them from its own goroutine.
type Engine interface {
	// Fan makes a fan. A coded one hands on no frame that needs a frame which was lost before: it waits for the next keyframe.
	Fan(coded bool) Fan
	// Start builds g and sets it playing. g reads the frames of in and fills out; either may be nil.
	Start(ctx context.Context, g pipeline.Graph, in, out Fan) (Stage, error)
	// Peer makes the media side of one viewer, ready to offer or answer.
	Peer(ctx context.Context, o PeerOptions) (Peer, error)
}

// Fan hands the frames of one producer to any number of subscriptions. It outlives the stages that fill it. Of several stages it takes
// the frames of the one that was started last and has made a frame. When that stage ends, it takes those of an earlier one again.
type Fan interface {
	// KeyWanted tells that a subscription needs a keyframe; several requests may be one value.
	KeyWanted() <-chan struct{}
	Count() FanCount
	// Caps are those of the newest frame, as GStreamer prints them; empty before the first frame.
	Caps() string
	Close()
}

// FanCount is what went into a fan since it was made.
type FanCount struct {
	Frames, Bytes, Keyframes uint64
	KeyBytes                 uint64 // size of the newest keyframe
}

// Stage is a graph that runs.
type Stage interface {
	// Events never holds the stage up: it has room for a few events, and those that come while it is full are dropped. It is not closed.
	Events() <-chan StageEvent
	// Keyframe asks the encoder for a keyframe, by the method that the encoder's row names.
	Keyframe(pipeline.KeyframeMethod) error
	// Set changes a property of a named element while it runs.
	Set(element, property, value string) error
	// Close stops the stage. Its fan takes nothing more of it. A driver that does not come back in time is left behind, and the
	// error says so.
	Close() error
}

// StageEvent tells what became of a stage.
type StageEvent struct {
	Err     error // why it failed; a warning where Warning is set
	Warning bool  // it goes on
	Ended   bool  // end of stream
	First   bool  // its first frame reached the fan
}

// PeerOptions are how a viewer's connection is made.
type PeerOptions struct {
	STUN  string
	TURN  []string
	Local []netip.Addr   // the local addresses to try; nil for all
	Port  int            // of UDP and TCP at each of them; 0 for any that is free
	Audio pipeline.Graph // decodes the viewer's audio; its first element has a sink pad that is free
	Video pipeline.Graph // the same for the viewer's video
	Heard Fan            // takes the frames of Audio's end while Hear allows it; nil where they are dropped
}

// Peer is the media side of one viewer's connection.
type Peer interface {
	// Events has room for a bounded number of events; see Overflowed. It is not closed.
	Events() <-chan PeerEvent
	// AddMedia makes a section in which we send: the next one of our offer with section -1, else the section at this place of the
	// viewer's offer.
	AddMedia(slot pipeline.Slot, section int, preferences, direction string) error
	// Open makes the connection ready, and the data channel too where label is not empty.
	Open(label string) error
	Offer()
	Answer()
	SetLocal(typ, sdp string) error
	SetRemote(typ, sdp string) error
	AddCandidate(section int, candidate string)
	// Take lets RTP of these payload types in. Before the first call, and with no types, all incoming RTP is dropped.
	Take(types []int)
	// Attach sends packets of the fan's frames in the slot's section. None flow before Resume.
	Attach(slot pipeline.Slot, p agreement.Packets, f Fan) error
	// Resume lets media flow, video from the next keyframe on.
	Resume()
	// KeyframesOnly sends only the keyframes of the video, or all frames again, from the next keyframe on.
	KeyframesOnly(keyframesOnly bool)
	// Feed sends the viewer all frames of another fan's video, from the next keyframe of that fan on. Until then the fan before it
	// feeds the viewer as it did. A second call before that takes the place of the first. The fan is of the same codec.
	Feed(Fan)
	// Fed reports whether the fan that Feed named feeds the viewer, and the fan before it no longer does.
	Fed() bool
	// Hear lets the viewer's decoded sound into the fan that the options name, or keeps it out, as it is before the first call.
	Hear(bool)
	Send(channel int, text string) bool
	// Alive is how long ago the viewer last sent RTCP; negative when it never did.
	Alive() time.Duration
	// Overflowed tells that events were lost. The viewer has to be ended.
	Overflowed() bool
	Count() PeerCount
	Close() error
}

// PeerCount is what was sent to a viewer: frames, frames that were dropped because the viewer's pipeline was behind, and the bytes of
// the packets, without those that were sent again.
type PeerCount struct {
	VideoFrames, VideoDropped, AudioFrames, AudioDropped uint64

	Bytes uint64 `json:"-"` // for the log: the status has the bitrate of each producer
}

// PeerEvent is one thing that happened to a viewer's connection.
type PeerEvent struct {
	Kind   PeerEventKind
	Type   string              // "offer" or "answer", with Described
	Text   string              // SDP, an ICE candidate, a message, or a kind of media
	Index  int                 // of a section or data channel; of DescriptionSet: 0 local, 1 remote
	State  int                 // with ConnectionChanged: a Connection* constant; with GatheringChanged: GatheringComplete or less
	DB     float64             // with Level: the audio level in dB
	Report congestion.Feedback // with Reported
	Err    error
}

// PeerEventKind tells the kinds apart.
type PeerEventKind int

// What happens to a connection.
const (
	NegotiationNeeded PeerEventKind = iota + 1
	Described                       // a local description was made
	DescriptionSet                  // webrtcbin took a description, or refused it with Err
	CandidateFound
	ConnectionChanged
	GatheringChanged
	ChannelOpened
	ChannelMessage
	ChannelClosed
	Incoming // the viewer sends Text: audio or video
	Level    // how loud the viewer's audio is
	Failed   // the pipeline posted an error
	Reported // the viewer sent feedback
	Warned   // an element posted a warning, and goes on
	Closed   // the viewer has closed the connection by DTLS
	Dropped  // what the viewer sends in the slot Index cannot be played, because of Err, and is dropped from now on
)

// GatheringComplete is the State of GatheringChanged after the last of our ICE candidates, as W3C numbers it in GStreamer.
const GatheringComplete = 2

// Connection states, as W3C numbers them in GStreamer.
const (
	ConnectionNew = iota
	ConnectionConnecting
	ConnectionConnected
	ConnectionDisconnected
	ConnectionFailed
	ConnectionClosed
)
