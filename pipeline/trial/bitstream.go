package trial

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"boardcast/pipeline"
)

// Unit is what can be seen of one coded frame without decoding it.
type Unit struct {
	Key           bool
	Width, Height int  // pixels; zero where the frame does not tell
	SPS           *SPS // nil where there is none
}

// Inspect reads the beginning of one coded frame. The error tells why the frame is not of the codec.
func Inspect(codec pipeline.Codec, data []byte) (Unit, error) {
	if len(data) == 0 {
		return Unit{}, errors.New("an empty picture")
	}
	switch codec {
	case pipeline.H264:
		return inspectH264(data)
	case pipeline.VP8:
		return inspectVP8(data)
	case pipeline.VP9:
		return inspectVP9(data)
	}
	return Unit{}, fmt.Errorf("no reader for %s", codec)
}

// inspectH264 looks for the kinds of NAL units in a frame.
func inspectH264(data []byte) (Unit, error) {
	var u Unit
	if !bytes.HasPrefix(bytes.TrimLeft(data, "\x00"), []byte{1}) || len(data) < 4 || data[0] != 0 || data[1] != 0 {
		return u, errors.New("not an H.264 byte-stream: it does not begin with a start code")
	}
	for _, n := range nals(data) {
		if len(n) == 0 {
			continue
		}
		switch n[0] & 0x1f {
		case nalIDR:
			u.Key = true
		case nalSPS:
			s, err := ParseSPS(n[1:])
			if err != nil {
				return u, err
			}
			u.SPS, u.Width, u.Height = &s, s.Width, s.Height
		}
	}
	return u, nil
}

// inspectVP8 reads the frame tag (RFC 6386, 9.1).
func inspectVP8(data []byte) (Unit, error) {
	if data[0]&1 != 0 {
		return Unit{}, nil
	}
	if len(data) < 10 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a {
		return Unit{}, errors.New("not VP8: a keyframe without its start code")
	}
	const size = 1<<14 - 1 // pixels, a mask; the two bits above are a scale
	return Unit{
		Key: true, Width: int(binary.LittleEndian.Uint16(data[6:]) & size), Height: int(binary.LittleEndian.Uint16(data[8:]) & size),
	}, nil
}

// inspectVP9 reads the uncompressed header's beginning (VP9 bitstream specification, 6.2).
func inspectVP9(data []byte) (Unit, error) {
	r := &bits{data: data}
	if r.u(2) != 2 {
		return Unit{}, errors.New("not VP9: no frame marker")
	}
	profile := r.u(1) | r.u(1)<<1
	if profile == 3 {
		r.u(1)
	}
	shown, delta := r.u(1), r.u(1)
	if shown == 1 || delta == 1 { // an earlier frame is shown again, or the frame is no keyframe
		return Unit{}, nil
	}
	r.u(2) // show_frame, error_resilient_mode
	if r.u(24) != 0x498342 {
		return Unit{}, errors.New("not VP9: a keyframe without its start code")
	}
	if profile != 0 {
		return Unit{Key: true}, nil
	}
	r.u(3 + 1) // color_space, color_range
	u := Unit{Key: true, Width: r.u(16) + 1, Height: r.u(16) + 1}
	if r.short {
		return Unit{}, errors.New("not VP9: it ends early")
	}
	return u, nil
}
