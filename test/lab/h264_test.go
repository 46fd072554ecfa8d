//go:build lab

package lab

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// NAL unit types.
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
)

// splitNALs returns the NAL units of a byte stream that begins with one, each from its header byte on.
func splitNALs(stream []byte) [][]byte {
	parts := bytes.Split(stream, []byte{0, 0, 0, 1})
	return slices.DeleteFunc(parts, func(nal []byte) bool { return len(nal) == 0 })
}

// nalTypes returns the types of the NAL units of a byte stream.
func nalTypes(stream []byte) []int {
	var types []int
	for _, nal := range splitNALs(stream) {
		types = append(types, int(nal[0]&31))
	}
	return types
}

// firstOf returns the first NAL unit of a type, nil if there is none.
func firstOf(stream []byte, kind int) []byte {
	for _, nal := range splitNALs(stream) {
		if int(nal[0]&31) == kind {
			return nal
		}
	}
	return nil
}

// encoding is one run of v4l2h264enc by gst-launch in the guest.
type encoding struct {
	format, size string // "NV12", "320x240"
	pattern      string // videotestsrc's, or hostile
	frames       int
	between      int    // the module's parameter
	controls     string // more of extra-controls
	level        string // in the caps, "4" if empty
}

// encode runs it and returns the raw pictures that went in, and the stream that came out.
func encode(t *testing.T, m *Machine, e encoding) (raw, stream []byte) {
	t.Helper()
	setParameter(t, m, "between", e.between)
	if e.pattern == hostile {
		shareHostile(t, m, e)
	}
	run(t, m, time.Minute, e.commandLine("t. ! queue ! filesink location=/mnt/share/in.yuv", "filesink location=/mnt/share/out.h264"))
	return readShared(t, m, "in.yuv"), readShared(t, m, "out.h264")
}

// commandLine is the gst-launch line with one branch for the raw pictures and one for the stream.
func (e encoding) commandLine(rawTo, streamTo string) string {
	var width, height int
	_, _ = fmt.Sscanf(e.size, "%dx%d", &width, &height)
	level := e.level
	if level == "" {
		level = "4"
	}
	source := fmt.Sprintf("videotestsrc num-buffers=%d pattern=%s ! video/x-raw,format=%s,width=%d,height=%d,framerate=10/1",
		e.frames, e.pattern, e.format, width, height)
	if e.pattern == hostile {
		source = fmt.Sprintf("filesrc location=/mnt/share/hostile.yuv ! rawvideoparse format=%s width=%d height=%d "+
			"framerate=10/1 colorimetry=bt601", strings.ToLower(e.format), width, height)
	}
	return fmt.Sprintf("gst-launch-1.0 -e %s ! tee name=t ! queue ! "+
		"v4l2h264enc name=enc 'extra-controls=controls,h264_i_frame_period=5%s' ! "+
		"'video/x-h264,level=(string)%s,profile=constrained-baseline' ! %s %s", source, e.controls, level, streamTo, rawTo)
}

// hostile is a pattern of the bytes that can be mistaken for start codes.
const hostile = "hostile"

func shareHostile(t *testing.T, m *Machine, e encoding) {
	t.Helper()
	var width, height int
	_, _ = fmt.Sscanf(e.size, "%dx%d", &width, &height)
	random := rand.New(rand.NewPCG(1, 2))
	video := make([]byte, width*height*3/2*e.frames)
	for i := range video {
		video[i] = []byte{0, 0, 0, 0, 1, 2, 3, 4}[random.IntN(8)]
	}
	if err := os.WriteFile(filepath.Join(m.Share, "hostile.yuv"), video, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readShared(t *testing.T, m *Machine, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.Share, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decode decodes a stream on the host, by a decoder that has nothing of ours in it.
func decode(t *testing.T, m *Machine, format string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gst-launch-1.0", "-q", "filesrc", "location="+filepath.Join(m.Share, "out.h264"), "!",
		"h264parse", "!", "openh264dec", "!", "videoconvert", "!", "video/x-raw,format="+format, "!",
		"filesink", "location="+filepath.Join(m.Share, "out.yuv"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("decode: %v\n%s", err, out)
	}
	return readShared(t, m, "out.yuv")
}

// setParameter sets one of the encoder module's parameters until the test ends.
func setParameter(t *testing.T, m *Machine, name string, value int) {
	t.Helper()
	const set = "echo %d >/sys/module/lab_h264/parameters/%s"
	run(t, m, 10*time.Second, fmt.Sprintf(set, value, name))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := m.Run(ctx, fmt.Sprintf(set, 0, name)); err != nil {
			t.Errorf("reset %s: %v", name, err)
		}
	})
}

// counter reads one of the encoder module's counters.
func counter(t *testing.T, m *Machine, name string) int {
	t.Helper()
	out := run(t, m, 10*time.Second, "cat /sys/module/lab_h264/parameters/"+name)
	value, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// pictures cuts raw video into its pictures.
func pictures(t *testing.T, raw []byte, count int) [][]byte {
	t.Helper()
	if count == 0 || len(raw) == 0 || len(raw)%count != 0 {
		t.Fatalf("%d bytes are not %d pictures", len(raw), count)
	}
	return slices.Collect(slices.Chunk(raw, len(raw)/count))
}
