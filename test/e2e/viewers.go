//go:build e2e

package e2e

import (
	"os"
	"testing"
	"time"

	"boardcast/test/viewers"
)

// Manner is how a viewer without a browser behaves.
type Manner = viewers.Manner

// Stage is how far it has come.
type Stage = viewers.Stage

// The stages of a viewer's life.
const (
	StageHello     = viewers.StageHello
	StageSession   = viewers.StageSession
	StageOffered   = viewers.StageOffered
	StageAnswered  = viewers.StageAnswered
	StageConnected = viewers.StageConnected
	StagePlaying   = viewers.StagePlaying
	StageEnded     = viewers.StageEnded
)

// Viewers is a process of viewers on the browsers' side of the network.
type Viewers struct{ *viewers.Process }

// StartViewers starts a process without a viewer yet. It ends with the test.
func StartViewers(t testing.TB) *Viewers {
	t.Helper()
	return &Viewers{viewers.Start(t, browsers.network.BrowserSide, BrowserAddr)}
}

// Join has a viewer call the program, and does not wait for it.
func (v *Viewers) Join(p *Program, id string, m Manner) { v.Process.Join(webSocket(p), id, m) }

// PlayOne joins one good viewer and waits until it plays.
func (v *Viewers) PlayOne(p *Program, id string) { v.Play(webSocket(p), id) }

// settings is a file of settings, for those that have no flag.
func settings(t testing.TB, text string) string {
	t.Helper()
	path := t.TempDir() + "/boardcast.yaml"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
