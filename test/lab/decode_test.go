//go:build lab

package lab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// unit is an access unit: one picture with the headers before it. Its bytes travel to the page in base64.
type unit struct {
	Key  bool   `json:"key"`
	Data []byte `json:"data"`
}

// accessUnits cuts a byte stream of one slice per picture.
func accessUnits(stream []byte) []unit {
	var units []unit
	var next unit
	for _, nal := range splitNALs(stream) {
		next.Data = append(append(next.Data, 0, 0, 0, 1), nal...)
		if kind := nal[0] & 31; kind == nalIDR || kind == nalSlice {
			next.Key = kind == nalIDR
			units = append(units, next)
			next = unit{}
		}
	}
	return units
}

// decodeUnits decodes access units as fast as it can and resolves to each picture's format and digest.
const decodeUnits = `(async (units) => {
	const pictures = [];
	let failure = null;
	const decoder = new VideoDecoder({
		error: (e) => { failure = e; },
		output: (frame) => pictures.push((async () => {
			const samples = new Uint8Array(frame.allocationSize());
			await frame.copyTo(samples);
			const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", samples));
			const format = frame.format;
			frame.close();
			return format + " " + Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
		})()),
	});
	decoder.configure({ codec: "avc1.42c028", optimizeForLatency: true });
	units.forEach(({ key, data }, i) => decoder.decode(new EncodedVideoChunk({
		type: key ? "key" : "delta", timestamp: i * 100000, data: Uint8Array.from(atob(data), (c) => c.charCodeAt(0)),
	})));
	await decoder.flush();
	if (failure) throw failure;
	return Promise.all(pictures);
})`

// TestEncoderInBrowser: Chromium's own decoder gives back each picture as it went in, whatever stands between IDRs.
func TestEncoderInBrowser(t *testing.T) {
	m := boot(t)
	load(t, m)
	b, err := Launch()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// Only a page of this machine's own may decode.
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	page, err := b.Open(ctx, server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, between := range map[string]int{"every macroblock": 0, "changed macroblocks": 1} {
		t.Run(name, func(t *testing.T) {
			e := encoding{format: "I420", size: "320x240", pattern: "ball", frames: 7, between: between, controls: ",video_bitrate=25000000"}
			raw, stream := encode(t, m, e)
			var got []string
			if err := page.Call(ctx, decodeUnits, accessUnits(stream), &got); err != nil {
				t.Fatal(err)
			}
			in := pictures(t, raw, e.frames)
			if len(got) != len(in) {
				t.Fatalf("%d pictures, want %d", len(got), len(in))
			}
			for i, picture := range in {
				digest := sha256.Sum256(picture)
				if want := "I420 " + hex.EncodeToString(digest[:]); got[i] != want {
					t.Errorf("picture %d is %s, want %s", i, got[i], want)
				}
			}
		})
	}
}
