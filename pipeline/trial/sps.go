package trial

import (
	"errors"
	"fmt"
)

// SPS is what matters of an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1).
type SPS struct {
	Profile     int // profile_idc
	Constraints int // constraint_set0_flag as bit 7 down to constraint_set5_flag as bit 2
	Level       int // level_idc
	Width       int // after cropping
	Height      int
	References  int // max_num_ref_frames
}

// ErrNoSPS tells that there is no sequence parameter set in a piece of a stream.
var ErrNoSPS = errors.New("no SPS")

// ProfileLevelID is what SDP calls profile-level-id (RFC 6184, 8.1).
func (s SPS) ProfileLevelID() string {
	return fmt.Sprintf("%02x%02x%02x", s.Profile, s.Constraints, s.Level)
}

const (
	profileBaseline = 66   // profile_idc
	constrained     = 0xc0 // constraint_set0_flag and constraint_set1_flag: no FMO, ASO or redundant slices, so that any decoder reads it
)

// Announced is the profile-level-id for the SDP. Plain baseline is announced as constrained baseline, since no encoder of the table uses
// what plain baseline has more. The error tells of a profile that not every browser decodes.
func (s SPS) Announced() (string, error) {
	if s.Profile != profileBaseline {
		return "", fmt.Errorf("stream has profile %d instead of constrained baseline", s.Profile)
	}
	s.Constraints |= constrained
	return s.ProfileLevelID(), nil
}

// macroblock is the side of a macroblock, in pixels.
const macroblock = 16

// Types of NAL units (ITU-T H.264, table 7-1).
const (
	nalIDR = 5 // a slice of a keyframe
	nalSPS = 7 // a sequence parameter set
)

// nals splits a byte-stream (H.264 annex B) into its units, start codes and trailing zeros removed.
func nals(stream []byte) [][]byte {
	var out [][]byte
	begin := -1
	for i := 0; i+3 <= len(stream); i++ {
		if stream[i] != 0 || stream[i+1] != 0 || stream[i+2] != 1 {
			continue
		}
		if begin >= 0 {
			out = append(out, trimZeros(stream[begin:i]))
		}
		begin = i + 3
		i += 2
	}
	if begin >= 0 {
		out = append(out, trimZeros(stream[begin:]))
	}
	return out
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// FindSPS reads the first sequence parameter set of a byte-stream. The error is ErrNoSPS where there is none.
func FindSPS(stream []byte) (SPS, error) {
	for _, n := range nals(stream) {
		if len(n) > 0 && n[0]&0x1f == nalSPS {
			return ParseSPS(n[1:])
		}
	}
	return SPS{}, ErrNoSPS
}

// ParseSPS reads a sequence parameter set without its NAL header.
func ParseSPS(nal []byte) (SPS, error) {
	r := &bits{data: unescape(nal)}
	s := SPS{Profile: r.u(8), Constraints: r.u(8) & 0xfc, Level: r.u(8)}
	r.ue() // seq_parameter_set_id
	chroma := 1
	if highProfiles[s.Profile] {
		chroma = r.high()
	}
	r.ue() // log2_max_frame_num_minus4
	r.order()
	s.References = r.ue()
	r.u(1) // gaps_in_frame_num_value_allowed_flag
	r.size(&s, chroma)
	switch {
	case r.short:
		return SPS{}, errors.New("read SPS: it ends early")
	case r.odd || s.Width <= 0 || s.Height <= 0:
		return SPS{}, errors.New("read SPS: a value is out of range")
	}
	return s, nil
}

// highProfiles are the values of profile_idc with which an SPS has fields for chroma and scaling (7.3.2.1.1).
var highProfiles = map[int]bool{
	100: true, 110: true, 122: true, 244: true, 44: true, 83: true, 86: true, 118: true, 128: true, 138: true, 139: true,
	134: true, 135: true,
}

// unescape drops the emulation prevention bytes.
func unescape(nal []byte) []byte {
	out := make([]byte, 0, len(nal))
	zeros := 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// high reads the fields of the high profiles and returns chroma_format_idc.
func (r *bits) high() int {
	chroma := r.ue()
	if chroma == 3 {
		r.u(1)
	}
	r.ue()
	r.ue()
	r.u(1)
	if r.u(1) == 1 {
		lists := 8
		if chroma == 3 {
			lists = 12
		}
		for i := range lists {
			if r.u(1) == 1 {
				r.scaling(i)
			}
		}
	}
	return chroma
}

// scaling skips a scaling list: the first six have 16 values, the others 64.
func (r *bits) scaling(list int) {
	size := 16
	if list >= 6 {
		size = 64
	}
	last, next := 8, 8
	for range size {
		if next != 0 {
			next = (last + r.se()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

// mostOffsets is the most that num_ref_frames_in_pic_order_cnt_cycle may be (7.4.2.1.1).
const mostOffsets = 255

// order skips the fields of the picture order count.
func (r *bits) order() {
	switch r.ue() {
	case 0:
		r.ue()
	case 1:
		r.u(1)
		r.se()
		r.se()
		for range r.atMost(mostOffsets) {
			r.se()
		}
	}
}

// size reads the size in macroblocks, and how much of it is cropped.
func (r *bits) size(s *SPS, chroma int) {
	const most = 1 << 12 // macroblocks on a side, far above any level's
	width, height := r.atMost(most)+1, r.atMost(most)+1
	fields := 2 - r.u(1) // frame_mbs_only_flag
	if fields == 2 {
		r.u(1)
	}
	r.u(1) // direct_8x8_inference_flag
	s.Width, s.Height = width*macroblock, height*macroblock*fields
	if r.u(1) == 0 {
		return
	}
	unitX, unitY := 1, fields
	if chroma == 1 || chroma == 2 {
		unitX = 2
	}
	if chroma == 1 {
		unitY *= 2
	}
	left, right, top, bottom := r.atMost(most*macroblock), r.atMost(most*macroblock), r.atMost(most*macroblock), r.atMost(most*macroblock)
	s.Width -= (left + right) * unitX
	s.Height -= (top + bottom) * unitY
}

// bits reads numbers from a string of bits.
type bits struct {
	data  []byte
	at    int  // the next bit
	short bool // the end was passed; zeros were read there
	odd   bool // a value was out of range
}

// u reads an unsigned number of n bits.
func (r *bits) u(n int) int {
	v := 0
	for range n {
		v <<= 1
		if r.at/8 >= len(r.data) {
			r.short = true
			continue
		}
		v |= int(r.data[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}

// ue reads an unsigned Exp-Golomb number.
func (r *bits) ue() int {
	zeros := 0
	for r.u(1) == 0 && !r.short {
		zeros++
	}
	if zeros > 31 {
		r.odd = true
		return 0
	}
	return 1<<zeros - 1 + r.u(zeros)
}

// atMost reads an unsigned Exp-Golomb number that is out of range above most.
func (r *bits) atMost(most int) int {
	v := r.ue()
	if v > most {
		r.odd = true
		return 0
	}
	return v
}

// se reads a signed Exp-Golomb number.
func (r *bits) se() int {
	v := r.ue()
	if v%2 == 0 {
		return -v / 2
	}
	return (v + 1) / 2
}
