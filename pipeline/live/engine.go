package live

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/congestion"
)

// ErrStuck tells that a call of an engine did not come back in time: the thing it was called on is left behind.
var ErrStuck = errors.New("stuck: a call did not return in time")

// Engine runs graphs. Its calls may block, each for a bounded time: an owner calls them from its own goroutine.
type Engine interface {
	// Fan makes a distribution point; coded fans hold their consumers to whole groups of pictures.
	Fan(coded bool) Fan
	// Start builds g, joins its ends to the fans (either may be nil) and sets it playing.
	Start(ctx context.Context, g pipeline.Graph, in, out Fan) (Stage, error)
	// Peer makes the media side of one viewer, ready to offer or answer.
	Peer(ctx context.Context, o PeerOptions) (Peer, error)
}

// Fan hands what one stage makes to any number of consumers. It outlives the stages that fill it. Of several stages the one
// that was started last counts, from its first picture to its end: until then, and again after it, an earlier one does.
type Fan interface {
	// KeyWanted tells that a consumer needs a keyframe; several requests may be one value.
	KeyWanted() <-chan struct{}
	Count() FanCount
	// Caps is what came last, in GStreamer's words, empty before the first.
	Caps() string
	Close()
}

// FanCount is what went into a fan since it was made.
type FanCount struct {
	Frames, Bytes, Keyframes uint64
	KeyBytes                 uint64 // of the newest keyframe
}

// Stage is a running producer.
type Stage interface {
	// Events is never blocked on: the first few are kept, what comes after unread ones is dropped. It is not closed.
	Events() <-chan StageEvent
	// Keyframe asks the encoder for a keyframe, the way its row says.
	Keyframe(pipeline.KeyframeMethod) error
	// Set changes a property of a named element while it runs.
	Set(element, property, value string) error
	// Close stops the stage, from which its fan takes nothing more; a driver that does not come back in time is left behind
	// and reported as an error.
	Close() error
}

// StageEvent tells what became of a stage.
type StageEvent struct {
	Err     error // what ended it, or a warning
	Warning bool
	Ended   bool // end of stream
	First   bool // its first picture reached the fan
}

// PeerOptions say how a viewer's connection is made.
type PeerOptions struct {
	STUN  string
	TURN  []string
	Near  []netip.Addr   // the local addresses to try; nil for all
	Audio pipeline.Graph // decodes incoming audio, from a sink pad on
	Video pipeline.Graph // decodes incoming video
}

// Peer is one viewer's connection.
type Peer interface {
	// Events is a bounded queue; it is not closed.
	Events() <-chan PeerEvent
	// AddMedia makes a sending section: section -1 for the next one of our offer, else the place in the other side's.
	AddMedia(slot pipeline.Slot, section int, preferences, direction string) error
	// Open readies the connection and makes the data channel when label is not empty.
	Open(label string) error
	Offer()
	Answer()
	SetLocal(typ, sdp string) error
	SetRemote(typ, sdp string) error
	AddCandidate(section int, candidate string)
	// Take lets RTP of these payload types come in. Before the first call, and with none, all incoming RTP is dropped.
	Take(types []int)
	// Attach has a section sent packets of what is in the fan; nothing flows before Resume.
	Attach(slot pipeline.Slot, p agreement.Packets, f Fan) error
	// Resume lets media flow, video from the next keyframe on.
	Resume()
	// KeyframesOnly sends keyframes of the video only, or everything again, from the next keyframe on.
	KeyframesOnly(keyframesOnly bool)
	// Feed gives the viewer everything of another fan's video from that one's next keyframe on; until then what it had goes
	// on. A call while another is under way takes its place. The fan is of the same codec.
	Feed(Fan)
	// Fed reports whether the fan that Feed named serves, and the one before no longer does.
	Fed() bool
	Send(channel int, text string) bool
	// Alive is how long ago the other side last sent RTCP; negative when it never did.
	Alive() time.Duration
	// Overflowed tells that events were lost: the viewer can only be closed.
	Overflowed() bool
	Count() PeerCount
	Close() error
}

// PeerCount is what went to a viewer: frames handed over, and frames lost because it was too slow.
type PeerCount struct {
	VideoFrames, VideoDropped, AudioFrames, AudioDropped uint64
}

// PeerEvent is one thing that happened to a viewer's connection.
type PeerEvent struct {
	Kind   PeerEventKind
	Type   string              // "offer" or "answer", with Described
	Text   string              // SDP, candidate, message, media
	Index  int                 // m-line or channel
	State  int                 // a Connection* constant, with ConnectionChanged; GatheringComplete or less, with GatheringChanged
	DB     float64             // with Level
	Report congestion.Feedback // with Reported
	Err    error
}

// PeerEventKind tells the kinds apart.
type PeerEventKind int

// What happens to a connection.
const (
	NegotiationNeeded PeerEventKind = iota + 1
	Described                       // a local description was made
	DescriptionSet                  // Index 0 local, 1 remote; Err tells a refusal
	CandidateFound
	ConnectionChanged
	GatheringChanged
	ChannelOpened
	ChannelMessage
	ChannelClosed
	Incoming // the other side sends Text: audio or video
	Level    // how loud incoming audio is
	Failed   // the pipeline posted an error
	Reported // the other side tells which packets arrived, and when
	Warned   // an element complains, and goes on
	Closed   // the other side has closed the connection in order
)

// GatheringComplete is the State of GatheringChanged that tells the end of our candidates.
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
