//go:build lab

package lab

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEncoderCompliance holds the module against the kernel's own test: it may fail only where a codec of the kernel's
// own fails too, which is a matter of the tool's version.
func TestEncoderCompliance(t *testing.T) {
	m := boot(t)
	load(t, m)
	failures := func(node string) string {
		return run(t, m, time.Minute, "v4l2-compliance -d "+node+" | grep -a 'fail:' || true")
	}
	ours, theirs := failures(labEncoder), failures("/dev/v4l/by-path/platform-vicodec.0-video-index0")
	if ours != theirs {
		t.Errorf("v4l2-compliance fails:\n%s\nand for vicodec:\n%s", ours, theirs)
	}
}

// TestEncoderPictures has v4l2h264enc make streams in every format and mode, decodes them and compares, sample by
// sample, with what went in; and looks for each control's effect in the stream.
func TestEncoderPictures(t *testing.T) {
	m := boot(t)
	load(t, m)
	const whole, changed, skipped = 0, 1, 2
	const plenty = ",video_bitrate=25000000"
	const p, i, s, h = nalSlice, nalIDR, nalSPS, nalPPS
	lastIDR := func(n int) int { return n - n%5 }
	for _, row := range []struct {
		name     string
		e        encoding
		levelIDC byte
		nals     []int
		want     func(n int) int // the picture that went in and is shown as the n-th
	}{
		{
			"planar, headers once",
			encoding{format: "I420", size: "320x240", pattern: "ball", between: whole},
			40,
			[]int{s, h, i, p, p, p, p, i, p},
			same,
		},
		{
			"interleaved, size not of whole macroblocks, headers repeated",
			encoding{format: "NV12", size: "324x180", pattern: "snow", between: whole, level: "3.1", controls: ",repeat_sequence_header=1"},
			31,
			[]int{s, h, i, p, p, p, p, s, h, i, p},
			same,
		},
		{
			"swapped planes, changed macroblocks only, headers prepended",
			encoding{format: "YV12", size: "320x180", pattern: "ball", between: changed, level: "3", controls: ",prepend_sps_and_pps_to_idr=1" + plenty},
			30,
			[]int{s, h, i, p, p, p, p, s, h, i, p},
			same,
		},
		{
			"swapped interleaved, all of them changed, short group of pictures",
			encoding{format: "NV21", size: "160x120", pattern: "snow", between: changed, level: "4.2", controls: ",video_gop_size=3" + plenty},
			42,
			[]int{s, h, i, p, p, i, p, p, i},
			same,
		},
		{
			"bytes that look like start codes",
			encoding{format: "I420", size: "160x96", pattern: hostile, between: changed, controls: plenty},
			40,
			[]int{s, h, i, p, p, p, p, i, p},
			same,
		},
		{
			"skipped between IDRs",
			encoding{format: "I420", size: "160x120", pattern: "ball", between: skipped},
			40,
			[]int{s, h, i, p, p, p, p, i, p},
			lastIDR,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.e.frames = 7
			raw, stream := encode(t, m, row.e)
			if got := nalTypes(stream); !slices.Equal(got, row.nals) {
				t.Errorf("NAL units %v, want %v", got, row.nals)
			}
			const constrainedBaseline = 0xc0
			if sps := firstOf(stream, s); !bytes.HasPrefix(sps[1:], []byte{66, constrainedBaseline, row.levelIDC}) {
				t.Errorf("SPS %x, want profile 66, constraints c0, level %d", sps, row.levelIDC)
			}
			in := pictures(t, raw, row.e.frames)
			for n, picture := range pictures(t, decode(t, m, row.e.format), row.e.frames) {
				if !bytes.Equal(picture, in[row.want(n)]) {
					t.Errorf("picture %d is not picture %d that went in", n, row.want(n))
				}
			}
		})
	}
}

func same(n int) int { return n }

// TestEncoderBitrate: where only changed macroblocks are coded, the bitrate decides how many.
func TestEncoderBitrate(t *testing.T) {
	m := boot(t)
	load(t, m)
	const frames, fps = 21, 10
	for _, bitrate := range []int{400_000, 2_000_000} {
		e := encoding{format: "I420", size: "160x120", pattern: "snow", frames: frames, between: 1}
		e.controls = fmt.Sprintf(",video_bitrate=%d,h264_i_frame_period=0", bitrate)
		_, stream := encode(t, m, e)
		got := len(stream) * 8 * fps / frames
		t.Logf("%d bit/s asked for, %d made", bitrate, got)
		if got < bitrate*7/10 || got > bitrate*11/10 {
			t.Errorf("%d bit/s, want %d", got, bitrate)
		}
	}
}

// TestEncoderMisbehaves has the module fail in each way that it can, and says what v4l2h264enc makes of it.
func TestEncoderMisbehaves(t *testing.T) {
	m := boot(t)
	load(t, m)
	const failed = "ERROR: from element /GstPipeline:pipeline0/v4l2h264enc:enc"
	const enosys, low, enough, frames = 38, "1", "4", 10
	for _, row := range []struct {
		name, parameter string
		value           int
		level           string
		encoded         int
		says            string // nothing: it hangs
	}{
		{"STREAMON fails", "fail_streamon", enosys, enough, 0, failed},
		{"error in mid-stream", "error_after", 4, enough, 4, failed},
		{"stall", "stall_after", 4, enough, 4, ""},
		{"low level refused", "low_level", 1, low, 0, failed},
		{"low level stalls", "low_level", 2, low, 0, ""},
		{"level that suffices is not refused", "low_level", 1, enough, frames, "Got EOS from element"},
	} {
		t.Run(row.name, func(t *testing.T) {
			setParameter(t, m, row.parameter, row.value)
			e := encoding{format: "I420", size: "320x240", pattern: "ball", frames: frames, level: row.level}
			before := counter(t, m, "encoded")
			out := runUntilIdle(t, m, e.commandLine("t. ! queue ! fakesink", "fakesink"))
			if got := counter(t, m, "encoded") - before; got != row.encoded {
				t.Errorf("%d frames were encoded, want %d", got, row.encoded)
			}
			if row.says == "" && strings.Contains(out, "EOS from element") || !strings.Contains(out, row.says) {
				t.Errorf("want %q:\n%s", row.says, out)
			}
		})
	}
}

// runUntilIdle runs a script that may hang, and returns what it printed until it ended or was silent for a while.
func runUntilIdle(t *testing.T, m *Machine, script string) string {
	t.Helper()
	p, err := m.Start(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	const silence = 6 * time.Second
	idle := time.NewTimer(2 * silence)
	for {
		p.mu.Lock()
		grew := p.grew
		p.mu.Unlock()
		select {
		case <-p.done:
			return p.Output()
		case <-grew:
			idle.Reset(silence)
		case <-idle.C:
			return p.Output()
		}
	}
}

// TestEncoderUnplugged takes the encoder away from under a stream, ends the stream, and brings it back.
func TestEncoderUnplugged(t *testing.T) {
	m := boot(t)
	load(t, m)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e := encoding{format: "I420", size: "320x240", pattern: "ball is-live=true", frames: 1000}
	p, err := m.Start(ctx, e.commandLine("t. ! queue ! fakesink", "identity silent=false ! fakesink")+" -v")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if _, err = p.Await(ctx, "last-message = chain"); err != nil {
		t.Fatal(err)
	}
	const driver = "/sys/bus/platform/drivers/lab_h264/"
	run(t, m, 10*time.Second, "echo lab_h264.0 >"+driver+"unbind; udevadm settle; ! test -e "+labEncoder)
	if _, err = p.Await(ctx, "ERROR: from element /GstPipeline:pipeline0/v4l2h264enc:enc"); err != nil {
		t.Error(err)
	}
	p.Stop()
	run(t, m, 10*time.Second, "echo lab_h264.0 >"+driver+"bind; udevadm settle; test -e "+labEncoder)
	e.pattern, e.frames = "ball", 3
	if _, stream := encode(t, m, e); len(nalTypes(stream)) != 2+e.frames {
		t.Errorf("NAL units %v after it came back", nalTypes(stream))
	}
}
