package viewers

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	videoClock  = 90_000 // Hz, of RTP time stamps
	maxPartial  = 64     // frames that wait for lost packets
	ntpToUnix   = 2_208_988_800
	nalIDR      = 5
	nalSPS      = 7
	nalStapA    = 24
	nalFuA      = 28
	nalTypeMask = 0x1f
	fuStart     = 0x80
)

// frames counts the complete frames in a stream of H.264 RTP packets. Not safe for concurrent use.
type frames struct {
	now     func() time.Time
	partial []*partial // oldest first
	done    []arrival  // complete frames since mark
	keys    int        // of them
	bytes   int        // since mark, RTP payload
	last    time.Time  // when the newest complete frame came; before the first, when mark was called
	gap     time.Duration
	first   time.Time // when the first complete frame ever came
	report  *rtcp.SenderReport
}

// arrival is one complete frame.
type arrival struct {
	stamp uint32
	at    time.Time
}

// partial is a frame of which packets are lacking.
type partial struct {
	stamp    uint32
	lowest   uint16
	highest  uint16
	packets  int
	starts   bool // lowest begins a frame
	marked   bool // highest ends it
	key      bool
	complete bool
}

// mark sets the counts to zero. It keeps the time of the last frame. So a gap that began before the mark is still measured from its
// beginning.
func (f *frames) mark() {
	f.done, f.keys, f.bytes, f.gap = nil, 0, 0, 0
	if f.last.IsZero() {
		f.last = f.now()
	}
}

// take counts a packet. One that is sent again comes late, and completes its frame late.
func (f *frames) take(p *rtp.Packet) {
	if len(p.Payload) == 0 {
		return // padding
	}
	f.bytes += len(p.Payload)
	part := f.partOf(p)
	if part.complete {
		return
	}
	part.add(p)
	if !part.starts || !part.marked || part.packets != int(part.highest-part.lowest)+1 {
		return
	}
	part.complete = true
	f.arrived(part)
}

func (f *frames) arrived(part *partial) {
	now := f.now()
	if f.first.IsZero() {
		f.first = now
	}
	if !f.last.IsZero() {
		f.gap = max(f.gap, now.Sub(f.last))
	}
	f.last = now
	f.done = append(f.done, arrival{part.stamp, now})
	if part.key {
		f.keys++
	}
}

func (f *frames) partOf(p *rtp.Packet) *partial {
	i := slices.IndexFunc(f.partial, func(q *partial) bool { return q.stamp == p.Timestamp })
	if i >= 0 {
		return f.partial[i]
	}
	if len(f.partial) == maxPartial {
		f.partial = f.partial[1:]
	}
	part := &partial{stamp: p.Timestamp, lowest: p.SequenceNumber, highest: p.SequenceNumber}
	f.partial = append(f.partial, part)
	return part
}

func (q *partial) add(p *rtp.Packet) {
	q.packets++
	starts, key := inspect(p.Payload)
	q.key = q.key || key
	if int16(p.SequenceNumber-q.lowest) <= 0 {
		q.lowest, q.starts = p.SequenceNumber, starts
	}
	if int16(p.SequenceNumber-q.highest) > 0 {
		q.highest = p.SequenceNumber
	}
	q.marked = q.marked || p.Marker
}

// inspect tells whether an H.264 payload can begin a frame, and whether it belongs to a keyframe.
func inspect(payload []byte) (starts, key bool) {
	isKey := func(b byte) bool { return b&nalTypeMask == nalIDR || b&nalTypeMask == nalSPS }
	switch payload[0] & nalTypeMask {
	case nalFuA:
		return len(payload) > 1 && payload[1]&fuStart != 0, len(payload) > 1 && isKey(payload[1])
	case nalStapA:
		return true, len(payload) > 3 && isKey(payload[3]) // the first unit's header follows its size
	}
	return true, isKey(payload[0])
}

// View is what a viewer has seen since the last mark. Times are in ms.
type View struct {
	Frames    int     // complete ones
	Due       int     // that the source made meanwhile, by the time stamps, at 30 a second
	Keyframes int     // of Frames
	Bytes     int     // of video
	Gap       float64 // the longest time without a complete frame, up to now
	Lag       float64 // the longest delay of a timer of the viewer's own process meanwhile
	Delays
	Connected  float64 // from the beginning of the call to the connection; 0: not yet
	FirstFrame float64 // from the connection to the first complete frame; 0: not yet
	Ended      bool    // by the program, or by an error
	Talk       string  // what the streamer said last of the viewer's voice: "playing", "failed" and why, or "replaced"
}

// Delays are from the time stamp that the source gave a frame to the arrival of its last packet, by the same machine's clock, which the
// sender report ties the time stamps to; zero before the first report.
type Delays struct{ Delay, DelayP95, DelayMax float64 }

// view is what there is to say; the fields that frames do not know are left out.
func (f *frames) view() View {
	v := View{Frames: len(f.done), Keyframes: f.keys, Bytes: f.bytes}
	if f.last.IsZero() {
		return v
	}
	v.Gap = ms(max(f.gap, f.now().Sub(f.last)))
	if len(f.done) == 0 {
		return v
	}
	const period = videoClock / 30
	first, last := f.done[0].stamp, f.done[0].stamp
	for _, a := range f.done {
		if int32(a.stamp-last) > 0 {
			last = a.stamp
		}
		if int32(a.stamp-first) < 0 {
			first = a.stamp
		}
	}
	v.Due = int(last-first+period/2)/period + 1
	if d := f.delays(); len(d) > 0 {
		slices.Sort(d)
		v.Delay, v.DelayP95, v.DelayMax = ms(d[len(d)/2]), ms(d[len(d)*95/100]), ms(d[len(d)-1])
	}
	return v
}

// delays are how long each complete frame took, from its time stamp on.
func (f *frames) delays() []time.Duration {
	if f.report == nil {
		return nil
	}
	stamped := fromNTP(f.report.NTPTime)
	out := make([]time.Duration, len(f.done))
	for i, a := range f.done {
		since := time.Duration(int32(a.stamp-f.report.RTPTime)) * time.Second / videoClock
		out[i] = a.at.Sub(stamped.Add(since))
	}
	return out
}

func fromNTP(t uint64) time.Time {
	fraction := (t & 0xffff_ffff) * uint64(time.Second) >> 32
	return time.Unix(int64(t>>32)-ntpToUnix, int64(fraction))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
