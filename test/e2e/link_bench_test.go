//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The link, and what is promised of it. A part's first seconds are not its steady ones.
const (
	linkFull, linkLow = 3_000_000, 700_000
	linkHolds         = 600 * time.Millisecond
	linkUse           = 0.8
	linkFrames        = 0.9             // of its frames the viewer on a free link keeps
	linkUnder         = 2 * time.Second // the encoder makes less than the link carries
	linkSettled       = 3 * time.Second // the delay is low again
	linkDelay         = 150 * time.Millisecond
	linkFrozen        = time.Second      // in all
	linkRecovered     = 15 * time.Second // so much of the link is used again
	linkHeaders       = 0.92             // of what the link counts is the payload of the video; the rest are headers and sound
)

// moment is what the page and the program say of a viewer at one time.
type moment struct {
	inbound

	at       time.Duration // since the part began
	received float64       // bit/s since the moment before
	made     float64       // bit/s since then by the encoder that feeds it
	encoder  int           // bit/s that it is told to make
	estimate int           // bit/s
	late     time.Duration // of the newest frame, beyond the least
}

// linkWatch samples twice a second.
type linkWatch struct {
	t       testing.TB
	program *Program
	page    *Page
	viewer  string // its name in the status
	least   float64
	last    time.Time
	before  moment
	bytes   map[string]float64 // by producer
}

// inbound is what the page's connection says of its video.
type inbound struct {
	Bytes   float64 `json:"bytes"`
	Freezes float64 `json:"freezes"` // s
	Lost    int     `json:"lost"`    // packets that never came
	Again   int     `json:"again"`   // packets that came as retransmissions
	NACKs   int     `json:"nacks"`
	PLIs    int     `json:"plis"`
	Frames  int     `json:"frames"`  // decoded
	Dropped int     `json:"dropped"` // and not shown, or not decoded
	Width   int     `json:"width"`
	Delay   float64 `json:"delay"` // ms that a packet took, with an offset that stays
}

// The page's own clock against the RTP time of what it shows tells how a frame's delay changes.
const linkScript = `(async () => {
  const video = document.querySelector("video");
  const out = { bytes: 0, freezes: 0, lost: 0, again: 0, nacks: 0, plis: 0, frames: 0, dropped: 0, width: 0, delay: 0 };
  (await boardcast.pc.getStats()).forEach((s) => {
    if (s.type === "inbound-rtp" && s.kind === "video")
      Object.assign(out, { bytes: s.bytesReceived, freezes: s.totalFreezesDuration ?? 0, lost: s.packetsLost,
        again: s.retransmittedPacketsReceived ?? 0, nacks: s.nackCount ?? 0, plis: s.pliCount ?? 0, frames: s.framesDecoded ?? 0,
        dropped: s.framesDropped ?? 0, width: s.frameWidth ?? 0 });
  });
  if (!window.frameDelay) {
    window.frameDelay = { value: 0 };
    const see = (now, meta) => {
      window.frameDelay.value = (meta.receiveTime ?? now) - meta.rtpTimestamp / 90;
      video.requestVideoFrameCallback(see);
    };
    video.requestVideoFrameCallback(see);
  }
  out.delay = window.frameDelay.value;
  return out;
})()`

func (w *linkWatch) sample(part string, began time.Time) moment {
	w.t.Helper()
	m := moment{}
	w.page.Eval(linkScript, &m.inbound)
	s := w.program.status()
	now := time.Now()
	seconds := now.Sub(w.last).Seconds()
	m.at, m.received = now.Sub(began), (m.Bytes-w.before.Bytes)*8/seconds
	if m.Delay != 0 && (w.least == 0 || m.Delay < w.least) {
		w.least = m.Delay
	}
	m.late = time.Duration((m.Delay - w.least) * float64(time.Millisecond))
	v := s.viewer(w.viewer)
	m.estimate = v.EstimateBPS
	for _, p := range s.Media.Producers {
		if p.Name == v.producer() {
			m.encoder, m.made = p.Bitrate, (p.Bytes-w.bytes[p.Name])*8/seconds
		}
		w.bytes[p.Name] = p.Bytes
	}
	w.t.Logf("%s %4.1fs: %4d wide, estimate %4d kbit/s, encoder %4d, made %4.0f, received %4.0f, delay %4d ms, frozen %.1f s, lost %d, again %d",
		part, m.at.Seconds(), m.Width, m.estimate/1000, m.encoder/1000, m.made/1000, m.received/1000, m.late.Milliseconds(), m.Freezes, m.Lost, m.Again)
	w.before, w.last = m, now
	return m
}

// watch samples for a time; the first sample, which counts from before, is left out.
func (w *linkWatch) watch(part string, long time.Duration) []moment {
	w.t.Helper()
	began := time.Now()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	w.sample(part, began)
	var out []moment
	for time.Since(began) < long {
		<-ticker.C
		out = append(out, w.sample(part, began))
	}
	return out
}

// linkStatus is the part of /api/status that the tests of links read.
type linkStatus struct {
	Goroutines int `json:"goroutines"`
	Media      struct {
		Viewers   []linkViewer `json:"viewers"`
		Producers []struct {
			Name    string  `json:"name"`
			Users   int     `json:"users"`
			Bitrate int     `json:"bitrate_bps"`
			Bytes   float64 `json:"bytes_total"`
			Frames  int     `json:"frames_total"`
		} `json:"producers"`
	} `json:"media"`
}

type linkViewer struct {
	ID            string `json:"id"`
	Codec         string `json:"codec"`
	EstimateBPS   int    `json:"estimate_bps"`
	Rendition     string `json:"rendition"`
	KeyframesOnly bool   `json:"keyframes_only"`
	Sent          struct{ VideoFrames, VideoDropped int }
}

// producer is the name of the one that feeds the viewer.
func (v linkViewer) producer() string {
	if v.Rendition != "" {
		return v.Codec + "-" + v.Rendition
	}
	return v.Codec
}

func (s linkStatus) viewer(id string) linkViewer {
	for _, v := range s.Media.Viewers {
		if v.ID == id {
			return v
		}
	}
	return linkViewer{}
}

// frames are those that a producer has made.
func (s linkStatus) frames(producer string) int {
	for _, p := range s.Media.Producers {
		if p.Name == producer {
			return p.Frames
		}
	}
	return 0
}

func (p *Program) status() linkStatus {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Address+"/api/status", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.keys.ownerOf(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatalf("ask for the status: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	var s linkStatus
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		p.t.Fatalf("read the status: %v", err)
	}
	return s
}

// open opens the program's page behind a link, where nobody watches yet, and tells the viewer's name in the status.
func (l *Links) open(t testing.TB, p *Program, f *FarNetwork) (page *Page, viewer string) {
	t.Helper()
	page = f.Launch(t, Chromium).Open(t, l.page(p))
	page.WaitPlaying(10)
	viewers := p.status().Media.Viewers
	if len(viewers) != 1 {
		t.Fatalf("viewers %+v", viewers)
	}
	return page, viewers[0].ID
}

// page is the address of the program's page.
func (l *Links) page(p *Program) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.Address, "http://"))
	return "http://" + net.JoinHostPort(l.Address, port) + "/"
}

// BenchmarkLink plays over a link of 3 Mbit/s that is cut to 700 kbit/s for 20 s, clean, with loss and with jitter, and states
// how the viewer's bitrate follows; another viewer, on a free link, is not to notice. A busy machine looks like a bad link, so
// that its figures are for a quiet one; what must hold on any is in package congestion.
func BenchmarkLink(b *testing.B) {
	for _, c := range []struct {
		name string
		link Shape
		back time.Duration
	}{
		{"clean", Shape{}, 0},
		{"loss2", Shape{Loss: 0.02}, 0},
		{"loss10", Shape{Loss: 0.1}, 0},
		{"jitter", Shape{Delay: 40 * time.Millisecond, Jitter: 20 * time.Millisecond}, 40 * time.Millisecond},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkCut(b, c.link, c.back) })
	}
}

func benchmarkCut(b *testing.B, link Shape, back time.Duration) {
	full, low := link, link
	full.Rate, full.Queue = linkFull, linkHolds
	low.Rate, low.Queue = linkLow, linkHolds
	links := NewLinks(b)
	far, near := links.Network(full, Shape{Delay: back}, 1), links.Network(Shape{}, Shape{}, 2)
	program := StartBoardcast(b, "--codec", "h264", "--width", "640", "--height", "480", "--bitrate", "5M")
	page, viewer := links.open(b, program, far)
	free := near.Launch(b, Chromium).Open(b, links.page(program))
	free.WaitPlaying(30)

	w := &linkWatch{t: b, program: program, page: page, viewer: viewer, last: time.Now(), bytes: map[string]float64{}}
	frames, made := free.Stats().Frames, program.status().frames("h264")
	first := w.watch("full", 20*time.Second)
	far.Shape(ToBrowser, low)
	second := w.watch("low", 20*time.Second)
	far.Shape(ToBrowser, full)
	last := w.watch("full again", 30*time.Second)
	other := free.Stats()
	kept := float64(other.Frames-frames) / float64(program.status().frames("h264")-made)

	under := when(second, func(m moment) bool { return m.made < linkLow })
	settled := when(second, func(m moment) bool { return m.late < linkDelay+link.Jitter })
	recovered := when(last, func(m moment) bool { return float64(m.encoder) >= linkUse*linkFull*linkHeaders })
	b.Logf("less than the link carries after %v (promised %v), delay under 150 ms after %v (%v), recovered after %v (%v)",
		under, linkUnder, settled, linkSettled, recovered, linkRecovered)
	for _, p := range []struct {
		name    string
		moments []moment
		from    time.Duration
		rate    float64
	}{{"full", first, 8 * time.Second, linkFull}, {"low", second, 8 * time.Second, linkLow}, {"full again", last, 15 * time.Second, linkFull}} {
		begin, end := p.moments[0], p.moments[len(p.moments)-1]
		b.Logf("%s: %.0f %% of the link used (promised %.0f %%), frozen for %.1f s (%v in all); %d frames shown, %d dropped, %d packets lost, %d came again, %d NACKs, %d PLIs",
			p.name, mean(p.moments, p.from)/(p.rate*linkHeaders*(1-link.Loss))*100, linkUse*100, end.Freezes-begin.Freezes, linkFrozen,
			end.Frames-begin.Frames, end.Dropped-begin.Dropped, end.Lost-begin.Lost, end.Again-begin.Again, end.NACKs-begin.NACKs, end.PLIs-begin.PLIs)
	}
	b.Logf("the viewer on the free link sees %dx%d and %.0f %% of the frames (promised %.0f %%)", other.Width, other.Height, kept*100, linkFrames*100)
	b.ReportMetric(under.Seconds(), "s-to-fit")
	b.ReportMetric(settled.Seconds(), "s-to-settle")
	b.ReportMetric(recovered.Seconds(), "s-to-recover")
	b.ReportMetric(last[len(last)-1].Freezes-first[0].Freezes, "s-frozen")
	b.ReportMetric(0, "ns/op")
}

// when is since when a condition holds for three moments in a row; negative for never.
func when(moments []moment, holds func(moment) bool) time.Duration {
	in := 0
	for i, m := range moments {
		if !holds(m) {
			in = 0
			continue
		}
		if in++; in == 3 {
			return moments[i-2].at
		}
	}
	return -1
}

// mean is the mean rate received from a time on. A busy machine's moments are not as far apart as they should be.
func mean(moments []moment, from time.Duration) float64 {
	i := slices.IndexFunc(moments, func(m moment) bool { return m.at >= from })
	last := moments[len(moments)-1]
	if i < 0 || last.at <= moments[i].at {
		return 0
	}
	return (last.Bytes - moments[i].Bytes) * 8 / (last.at - moments[i].at).Seconds()
}
