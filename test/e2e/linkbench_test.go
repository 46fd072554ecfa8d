//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The link, and what is promised of it. A part's first seconds are not its steady ones.
const (
	linkFull, linkLow = 3_000_000, 700_000
	linkUse           = 0.8
	linkUnder         = 2 * time.Second  // the encoder makes less than the link carries
	linkSettled       = 3 * time.Second  // the delay is low again
	linkRecovered     = 15 * time.Second // so much of the link is used again
	linkHeaders       = 0.92             // of what tbf counts is the payload of the video; the rest are headers and sound
)

// moment is what the page and the program say of a viewer at one time.
type moment struct {
	at       time.Duration // since the part began
	bytes    float64       // of video received, in all
	received float64       // bit/s since the moment before
	made     float64       // bit/s by the encoder since then
	encoder  int           // bit/s that it is told to make
	estimate int           // bit/s
	freezes  float64       // s, in all
	delay    time.Duration // of the newest frame, beyond the least
}

// linkWatch samples twice a second.
type linkWatch struct {
	t       testing.TB
	program *Program
	page    *Page
	least   float64
	last    time.Time
	before  inbound
	bytes   float64
}

// inbound is what the page's connection says of its video.
type inbound struct {
	Bytes   float64 `json:"bytes"`
	Freezes float64 `json:"freezes"` // s
	Lost    float64 `json:"lost"`
	Delay   float64 `json:"delay"` // ms that a packet took, with an offset that stays
}

// The page's own clock against the RTP time of what it shows tells how a frame's delay changes.
const linkScript = `(async () => {
  const video = document.querySelector("video");
  const out = { bytes: 0, freezes: 0, lost: 0, delay: 0 };
  (await boardcast.pc.getStats()).forEach((s) => {
    if (s.type === "inbound-rtp" && s.kind === "video")
      Object.assign(out, { bytes: s.bytesReceived, freezes: s.totalFreezesDuration ?? 0, lost: s.packetsLost });
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
	var in inbound
	w.page.Eval(linkScript, &in)
	s := w.program.status()
	now := time.Now()
	seconds := now.Sub(w.last).Seconds()
	m := moment{at: now.Sub(began), bytes: in.Bytes, received: (in.Bytes - w.before.Bytes) * 8 / seconds, freezes: in.Freezes}
	if in.Delay != 0 && (w.least == 0 || in.Delay < w.least) {
		w.least = in.Delay
	}
	m.delay = time.Duration((in.Delay - w.least) * float64(time.Millisecond))
	for _, v := range s.Media.Viewers {
		m.estimate = v.EstimateBPS
	}
	for _, p := range s.Media.Producers {
		if p.Users > 0 && p.Bitrate > 0 {
			m.encoder, m.made = p.Bitrate, (p.Bytes-w.bytes)*8/seconds
			w.bytes = p.Bytes
		}
	}
	w.t.Logf("%s %4.1fs: estimate %4d kbit/s, encoder %4d, made %4.0f, received %4.0f, delay %4d ms, frozen %.1f s, lost %.0f",
		part, m.at.Seconds(), m.estimate/1000, m.encoder/1000, m.made/1000, m.received/1000, m.delay.Milliseconds(), in.Freezes, in.Lost)
	w.before, w.last = in, now
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

// linkStatus is the part of /api/status that the test reads.
type linkStatus struct {
	Media struct {
		Viewers []struct {
			EstimateBPS int `json:"estimate_bps"`
		} `json:"viewers"`
		Producers []struct {
			Users   int     `json:"users"`
			Bitrate int     `json:"bitrate_bps"`
			Bytes   float64 `json:"bytes_total"`
		} `json:"producers"`
	} `json:"media"`
}

func (p *Program) status() linkStatus {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Address+"/api/status", nil)
	if err != nil {
		p.t.Fatal(err)
	}
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

// shape limits what the program sends to the browsers; an empty rate ends it. It skips the benchmark where the kernel cannot.
func shape(t testing.TB, rate string) {
	t.Helper()
	line := "qdisc replace dev board root tbf burst 4000 latency 600ms rate " + rate
	if rate == "" {
		line = "qdisc del dev board root"
	}
	err := run(exec.CommandContext(context.WithoutCancel(t.Context()), "tc", strings.Fields(line)...))
	if err != nil && strings.Contains(err.Error(), "qdisc kind is unknown") {
		t.Skipf("no link can be shaped here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkLink plays over a link of 3 Mbit/s that is cut to 700 kbit/s for 20 s, and states how the bitrate follows. A busy
// machine looks like a bad link, so that its figures are for a quiet one; what must hold on any is in package congestion.
func BenchmarkLink(b *testing.B) {
	shape(b, "3mbit")
	b.Cleanup(func() { shape(b, "") })
	program := StartBoardcast(b, "--codec", "h264", "--width", "640", "--height", "480", "--bitrate", "5M")
	page := browsers.Launch(b, Chromium).Open(b, program.Address+"/")
	page.WaitPlaying(30)
	w := &linkWatch{t: b, program: program, page: page, last: time.Now()}
	first := w.watch("full", 20*time.Second)
	shape(b, "700kbit")
	low := w.watch("low", 20*time.Second)
	shape(b, "3mbit")
	last := w.watch("full again", 30*time.Second)

	under := when(low, func(m moment) bool { return m.made < linkLow })
	settled := when(low, func(m moment) bool { return m.delay < 150*time.Millisecond })
	recovered := when(last, func(m moment) bool { return float64(m.encoder) >= linkUse*linkFull*linkHeaders })
	b.Logf("less than the link carries after %v (promised %v), delay under 150 ms after %v (%v), recovered after %v (%v)",
		under, linkUnder, settled, linkSettled, recovered, linkRecovered)
	for _, p := range []struct {
		name    string
		moments []moment
		from    time.Duration
		rate    float64
	}{{"full", first, 8 * time.Second, linkFull}, {"low", low, 8 * time.Second, linkLow}, {"full again", last, 15 * time.Second, linkFull}} {
		b.Logf("%s: %.0f %% of the link used (promised %.0f %%), frozen for %.1f s", p.name,
			mean(p.moments, p.from)/(p.rate*linkHeaders)*100, linkUse*100, p.moments[len(p.moments)-1].freezes-p.moments[0].freezes)
	}
	b.ReportMetric(under.Seconds(), "s-to-fit")
	b.ReportMetric(settled.Seconds(), "s-to-settle")
	b.ReportMetric(recovered.Seconds(), "s-to-recover")
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
	return (last.bytes - moments[i].bytes) * 8 / (last.at - moments[i].at).Seconds()
}
