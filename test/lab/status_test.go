//go:build lab

package lab

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// producer is one line of /api/status, as far as the tests look.
type producer struct {
	Name        string `json:"name"`
	Encoder     string `json:"encoder"`
	Users       int    `json:"users"`
	Frames      int    `json:"frames_total"`
	Keyframes   int    `json:"keyframes_total"`
	Replaced    int    `json:"replaced_total"`
	Placeholder bool   `json:"placeholder"`
}

// Names of lines.
const (
	lineH264    = "h264"
	lineCapture = "capture"
)

// programStatus is /api/status, as far as the tests look.
type programStatus struct {
	Goroutines int            `json:"goroutines"`
	Cameras    []cameraStatus `json:"cameras"`
	Media      struct {
		Producers []producer `json:"producers"`
		Viewers   []struct {
			ID            string `json:"id"`
			Rendition     string `json:"rendition"`
			KeyframesOnly bool   `json:"keyframes_only"`
			Talk          struct {
				State  string `json:"state"`
				Reason string `json:"reason"`
			} `json:"talk"`
		} `json:"viewers"`
	} `json:"media"`
}

// cameraStatus is what the status says of a camera that has a name.
type cameraStatus struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason"`
	Media  struct {
		Producers []producer `json:"producers"`
	} `json:"media"`
}

// camera is what the status says of a camera; it fails the test if there is none of that name.
func (s programStatus) camera(t *testing.T, name string) cameraStatus {
	t.Helper()
	i := slices.IndexFunc(s.Cameras, func(c cameraStatus) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no camera %q in %+v", name, s)
	}
	return s.Cameras[i]
}

// capture is the producer that reads a camera.
func (c cameraStatus) capture(t *testing.T) producer {
	t.Helper()
	i := slices.IndexFunc(c.Media.Producers, func(p producer) bool { return p.Name == lineCapture })
	if i < 0 {
		t.Fatalf("camera %s has no producer %s", c.Name, lineCapture)
	}
	return c.Media.Producers[i]
}

// encoders is how many run.
func (s programStatus) encoders() (count int) {
	for _, p := range s.Media.Producers {
		if p.Encoder != "" {
			count++
		}
	}
	return count
}

// gets is what a viewer is given: "all", "lower" where its link bears no more, or "keyframes".
func (s programStatus) gets(viewer string) string {
	for _, v := range s.Media.Viewers {
		switch {
		case v.ID != viewer:
		case v.KeyframesOnly:
			return "keyframes"
		case v.Rendition != "":
			return v.Rendition
		default:
			return "all"
		}
	}
	return "nothing"
}

// status reads the running program's status.
func status(t *testing.T) programStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"api/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var s programStatus
	if err = json.Unmarshal(text, &s); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return s
}

// line is one line of the running program's status; it fails the test if there is none of that name.
func line(t *testing.T, name string) producer {
	t.Helper()
	lines := status(t).Media.Producers
	i := slices.IndexFunc(lines, func(p producer) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no line %q in %+v", name, lines)
	}
	return lines[i]
}
