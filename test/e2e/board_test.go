//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What tells TestBoard of the board; test/board.sh sets them.
const (
	atEnv    = "BOARDCAST_AT"       // its page, "http://pi4:8080"
	keyEnv   = "BOARDCAST_AT_KEY"   // an owner's key, may be missing where everybody is let in
	factsEnv = "BOARDCAST_AT_FACTS" // a folder with encoders.json and version.json of it, may be missing
	costEnv  = "BOARDCAST_AT_COST"  // a shell command that prints stat and status of its process, may be missing
)

var wait = fmt.Sprintf("new Promise((resolve) => setTimeout(resolve, %d))", boardSeconds*1000)

const (
	boardFrames  = 90
	boardSeconds = 10
)

// boardViewers are the numbers of viewers at which a board's load is measured, the least first.
var boardViewers = [...]int{0, 1, 4}

// load is what a board's process used with so many viewers as boardViewers says.
type load struct {
	cores float64
	rss   float64 // MB
}

// outcome is what became of a board: a row of docs/BOARDS.md.
type outcome struct {
	board   string // as it calls itself
	encoder string // "v4l2h264enc, H264"
	stats   Stats
	fps     float64
	timings Timings
	loads   []load // by boardViewers; none when not known
	program string // "boardcast 1.0, GStreamer 1.22.0"
	browser string
	day     time.Time
}

// TestBoard plays the page of a board, which must have been deployed, in Chromium on this machine, and logs its row.
// Nobody has run it against a board yet.
func TestBoard(t *testing.T) {
	at := strings.TrimSuffix(os.Getenv(atEnv), "/")
	if at == "" {
		t.Skipf("no board: set %s, or make test-board BOARD=user@host", atEnv)
	}
	var flags []string
	if strings.HasPrefix(at, "https:") {
		flags = append(flags, "--ignore-certificate-errors") // a board's certificate is mostly its own
	}
	browser := browsers.Launch(t, Chromium, flags...)
	o := outcome{browser: browser.Version, day: time.Now()}
	o.measure(t, func() { <-time.After(boardSeconds * time.Second) }) // nothing happens: that is what is measured
	link := at + "/"
	if key := os.Getenv(keyEnv); key != "" {
		link += "?key=" + key
	}
	page := browser.Open(t, link)
	page.WaitPlaying(boardFrames)
	o.timings, _ = page.Timings()
	before, began := page.Stats(), time.Now()
	o.measure(t, func() { page.Eval(wait, nil) })
	o.stats = page.Stats()
	o.fps = float64(o.stats.Frames-before.Frames) / time.Since(began).Seconds()
	for range boardViewers[2] - boardViewers[1] {
		browser.Open(t, link).WaitPlaying(1)
	}
	o.measure(t, func() { page.Eval(wait, nil) })
	page.WaitMoving()
	o.encoder = boardEncoder(t, at, o.stats.Codec)
	o.board, o.program = boardFacts(t, at)
	t.Logf("row: %s", o.row())
	if o.fps < 1 {
		t.Errorf("%.1f frames/s, want a picture that moves", o.fps)
	}
}

// measure adds the board's load over the time that passing takes.
func (o *outcome) measure(t *testing.T, passing func()) {
	t.Helper()
	used, began := boardCost(t), time.Now()
	passing()
	now := boardCost(t)
	if used == "" || now == "" {
		return
	}
	cores := (usedSoFar(t, now) - usedSoFar(t, used)).Seconds() / time.Since(began).Seconds()
	o.loads = append(o.loads, load{cores: cores, rss: megabytes(t, now, "VmRSS")})
}

// boardCost is what the board says of its process, "" without a way to ask.
func boardCost(t *testing.T) string {
	t.Helper()
	command := os.Getenv(costEnv)
	if command == "" {
		return ""
	}
	text, err := exec.CommandContext(t.Context(), "bash", "-c", command).Output()
	if err != nil {
		t.Errorf("ask the board for its process: %v", err)
		return ""
	}
	return string(text)
}

// boardEncoder is the encoder that the board uses for a codec now, "" where it does not say.
func boardEncoder(t *testing.T, at, codec string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/api/status", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv(keyEnv))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Logf("no status: %v", err) // such as a certificate of its own
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	var status struct {
		Media struct {
			Lines []struct {
				Name    string `json:"name"`
				Encoder string `json:"encoder"`
			} `json:"producers"`
		} `json:"media"`
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		t.Errorf("read the status: %v", err)
	}
	_, name, _ := strings.Cut(codec, "/")
	for _, line := range status.Media.Lines {
		if strings.EqualFold(line.Name, name) {
			return line.Encoder
		}
	}
	return ""
}

// boardFacts are the board's name and its program's versions, as far as the folder has them.
func boardFacts(t *testing.T, at string) (board, program string) {
	t.Helper()
	folder := os.Getenv(factsEnv)
	if folder == "" {
		if u, err := url.Parse(at); err == nil {
			board = u.Hostname()
		}
		return board, ""
	}
	var encoders struct {
		Board struct {
			Name  string `json:"name"`
			Model string `json:"model"`
		} `json:"board"`
	}
	var version struct {
		Version   string `json:"version"`
		GStreamer string `json:"gstreamer"`
	}
	for name, into := range map[string]any{"encoders.json": &encoders, "version.json": &version} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			t.Errorf("read the board's %s: %v", name, err)
		}
	}
	board = encoders.Board.Model
	if board == "" {
		board = encoders.Board.Name
	}
	return board, fmt.Sprintf("boardcast %s, GStreamer %s", version.Version, version.GStreamer)
}

// row is the outcome in Markdown; what is not known is "-".
func (o outcome) row() string {
	figure := func(format string, value float64) string {
		if value <= 0 {
			return "-"
		}
		return fmt.Sprintf(format, value)
	}
	since := func(ms float64) string { return figure("%.2f s", (ms-o.timings.Opened)/1000) }
	var cores, rss []string
	for _, l := range o.loads {
		cores = append(cores, fmt.Sprintf("%.2f", l.cores))
		rss = append(rss, fmt.Sprintf("%.0f", l.rss))
	}
	_, codec, _ := strings.Cut(o.stats.Codec, "/")
	cells := []string{
		o.board, o.encoder, codec, fmt.Sprintf("%dx%d", o.stats.Width, o.stats.Height), figure("%.1f", o.fps),
		since(o.timings.Connected), since(o.timings.FirstFrame), strings.Join(cores, ", "), strings.Join(rss, ", "),
		o.program, o.browser, o.day.Format(time.DateOnly),
	}
	for i, cell := range cells {
		if cell = strings.TrimSpace(strings.ReplaceAll(cell, "|", "/")); cell == "" {
			cell = "-"
		}
		cells[i] = cell
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// TestBoardRow holds the row to the head of the table in docs/BOARDS.md.
func TestBoardRow(t *testing.T) {
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	full := outcome{
		board: "Raspberry Pi 4 | Rev 1.4", encoder: "v4l2h264enc", program: "boardcast 1.0, GStreamer 1.22.0", browser: "chromium 1",
		stats: Stats{Width: 1280, Height: 720, Codec: "video/H264"}, fps: 29.97, loads: []load{{0.004, 40.4}, {0.254, 70.2}, {0.3, 85}}, day: day,
		timings: Timings{Opened: 100, Connected: 400, FirstFrame: 650},
	}
	for name, test := range map[string]struct {
		outcome outcome
		want    string
	}{
		"all": {full, "| Raspberry Pi 4 / Rev 1.4 | v4l2h264enc | H264 | 1280x720 | 30.0 | 0.30 s | 0.55 s | 0.00, 0.25, 0.30 | 40, 70, 85 | " +
			"boardcast 1.0, GStreamer 1.22.0 | chromium 1 | 2026-11-25 |"},
		"an address only": {
			outcome{board: "pi4", stats: Stats{Width: 640, Height: 480, Codec: "video/VP8"}, fps: 15, day: day},
			"| pi4 | - | VP8 | 640x480 | 15.0 | - | - | - | - | - | - | 2026-11-25 |",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.outcome.row(); got != test.want {
				t.Errorf("row = %s\nwant  %s", got, test.want)
			}
		})
	}
	text, err := os.ReadFile("../../docs/BOARDS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- rows of make test-board -->\n")
	head, _, _ := strings.Cut(rest, "\n")
	if got, want := strings.Count(full.row(), "|"), strings.Count(head, "|"); got != want {
		t.Errorf("a row has %d columns, docs/BOARDS.md %d: %s", got-1, want-1, head)
	}
}
