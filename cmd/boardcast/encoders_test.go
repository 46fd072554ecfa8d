package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"boardcast/board"
	"boardcast/pipeline"
)

func TestEncodersWish(t *testing.T) {
	tests := []struct {
		codec, size string
		want        pipeline.Request
		wrong       string // what the error says, empty for none
	}{
		{"", "1280x720", pipeline.Request{Width: 1280, Height: 720}, ""},
		{"H264", "640x480", pipeline.Request{Codec: "h264", Width: 640, Height: 480}, ""},
		{"vp9", "640x480", pipeline.Request{Codec: "vp9", Width: 640, Height: 480}, ""},
		{"h265", "640x480", pipeline.Request{}, `"h265"`},
		{"", "640", pipeline.Request{}, `"640"`},
		{"", "640x480x2", pipeline.Request{}, "no size"},
		{"", "-640x480", pipeline.Request{}, "no size"},
		{"", "8x8", pipeline.Request{}, "no size"},
		{"", "100000x100000", pipeline.Request{}, "no size"},
	}
	for _, tt := range tests {
		got, err := encodersOptions{codec: tt.codec, size: tt.size}.wish()
		switch {
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong) || len(hints(err)) == 0):
			t.Errorf("%s %s: %v", tt.codec, tt.size, err)
		case tt.wrong == "" && (err != nil || got != tt.want):
			t.Errorf("%s %s: %+v, %v; want %+v", tt.codec, tt.size, got, err, tt.want)
		}
	}
}

// The members that scripts rely on, and no others.
func TestEncodersJSON(t *testing.T) {
	e, _ := pipeline.EncoderByID("x264enc")
	r := newEncodersReply(board.Board{ID: "generic", Name: "unknown board"}, []pipeline.Entry{
		{Encoder: e, Verdict: pipeline.Verdict{Outcome: pipeline.OutcomeChosen, Reason: "works", FramesPerSecond: 59.9949, CPUMillis: 3.14159}},
	})
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"board": map[string]any{"id": "generic", "name": "unknown board", "model": "", "compatible": []any{}, "note": ""},
		"encoders": []any{map[string]any{
			"element": "x264enc", "codec": "h264", "family": "software", "hardware": false, "verdict": "chosen", "reason": "works",
			"frames_per_second": 59.99, "cpu_ms_per_frame": 3.14,
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEncodersTable(t *testing.T) {
	x264, _ := pipeline.EncoderByID("x264enc")
	nvenc, _ := pipeline.EncoderByID("nvv4l2h264enc")
	b := board.Board{Name: "unknown board"}
	var out strings.Builder
	r := newEncodersReply(b, []pipeline.Entry{
		{Encoder: x264, Verdict: pipeline.Verdict{Outcome: pipeline.OutcomeChosen, Reason: "works", FramesPerSecond: 60.2, CPUMillis: 3.14}},
		{Encoder: nvenc, Verdict: pipeline.Verdict{Outcome: pipeline.OutcomeMissing, Reason: "not installed"}},
	})
	if err := r.write(&out, b, "640x480"); err != nil {
		t.Fatal(err)
	}
	want := `board: unknown board

ELEMENT        CODEC  KIND      VERDICT  FRAMES/S  CPU MS  AT 640x480
x264enc        h264   software  chosen   60        3.1     works
nvv4l2h264enc  h264   hardware  missing                    not installed
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
