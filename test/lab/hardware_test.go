//go:build lab

package lab

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hardware is the element that drives the lab's encoder, and how the program announces it.
const (
	hardware         = "v4l2h264enc"
	hardwareChosen   = "encoder: " + hardware + " (H264, hardware)"
	changedOnly      = 1 // of the module's parameter between
	hardwareSettings = "--camera,auto,--microphone,none,--width,320,--height,180,--framerate,15,--bitrate,4M"
)

// startHardware starts the program, which must choose the lab's encoder without being told, by trials remembered in a
// directory.
func startHardware(t *testing.T, m *Machine, cache string, more ...string) *Process {
	t.Helper()
	setParameter(t, m, "between", changedOnly)
	p := startProgramIn(t, m, cache, append(strings.Split(hardwareSettings, ","), more...)...)
	awaitLine(t, p, hardwareChosen, time.Minute)
	return p
}

// coded looks, in a page, at the coded pictures as they come from the network, before they are decoded. It leaves
// { keys, frames, head }: head is the beginning of the latest keyframe, in hexadecimal digits.
const coded = `globalThis.coded = { keys: 0, frames: 0, head: "" };
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
	constructor(options) {
		super({ ...options, encodedInsertableStreams: true });
		this.addEventListener("track", ({ track, receiver }) => {
			const { readable, writable } = receiver.createEncodedStreams();
			readable.pipeThrough(new TransformStream({
				transform(picture, out) {
					if (track.kind === "video") note(picture);
					out.enqueue(picture);
				},
			})).pipeTo(writable);
		});
	}
};
function note({ type, data }) {
	coded.frames++;
	if (type !== "key") return;
	coded.keys++;
	coded.head = Array.from(new Uint8Array(data, 0, 64), (b) => b.toString(16).padStart(2, "0")).join("");
}`

// TestHardwareEncoder: the encoder in hardware is chosen over those in software by trial, its stream is what the session
// description says of it, Chromium decodes it, and a viewer who joins has it make a keyframe, which reaches the others.
func TestHardwareEncoder(t *testing.T) {
	m := boot(t)
	load(t, m)
	setParameter(t, m, "low_level", 1) // as on the Pi, a level too low is refused
	began := time.Now()
	startHardware(t, m, trialCache)
	figures.add("hardware encoder chosen by trial after", "%.1f s", time.Since(began).Seconds())
	v := view(t, coded)
	s := v.playing(30, 90*time.Second)
	if s.Width != 320 || s.Height != 180 || s.Codec != "video/H264" {
		t.Errorf("decoded %dx%d %s, want 320x180 video/H264", s.Width, s.Height, s.Codec)
	}
	row := line(t, lineH264).Encoder
	if !strings.HasPrefix(row, hardware) {
		t.Errorf("the status names encoder %q, want %s", row, hardware)
	}
	fps, _ := v.during(4 * time.Second)
	figures.add("hardware encoder to Chromium, 320x180", "%.1f frames/s of 15, %s", fps, row)
	if fps < 5 {
		t.Errorf("%.1f frames/s", fps)
	}
	t.Run("profile", func(t *testing.T) { announcedProfile(t, v.in(t)) })
	t.Run("forced keyframe", func(t *testing.T) { forcedKeyframes(t, m, v.in(t), row) })
}

// announcedProfile compares what the session description says of H.264 with the SPS that came over the network.
func announcedProfile(t *testing.T, v viewer) {
	var got struct{ SDP, Head string }
	v.await(5*time.Second, &got, "({ sdp: boardcast.pc.remoteDescription.sdp, head: coded.head })")
	head, err := hex.DecodeString(got.Head)
	if err != nil {
		t.Fatal(err)
	}
	sps := firstOf(head, nalSPS)
	if len(sps) < 4 {
		t.Fatalf("no SPS at the beginning of the last keyframe: %x", head)
	}
	said := regexp.MustCompile(`(?i)profile-level-id=([0-9a-f]{6})`).FindAllStringSubmatch(got.SDP, -1)
	if len(said) == 0 {
		t.Fatalf("no profile-level-id in\n%s", got.SDP)
	}
	figures.add("profile-level-id and SPS", "%s and %x", said[0][1], sps[1:4])
	for _, s := range said {
		if !strings.EqualFold(s[1], hex.EncodeToString(sps[1:4])) {
			t.Errorf("profile-level-id %s, but the stream's SPS says %x", s[1], sps[1:4])
		}
	}
}

// forcedKeyframes has viewers join one after the other, and follows each keyframe request to the one who was there
// before: asked of the driver, made by it, received, decoded.
func forcedKeyframes(t *testing.T, m *Machine, v viewer, row string) {
	type counts struct{ forced, idrs, encoded, received, decoded int }
	count := func() counts {
		var page struct{ Keys int }
		v.await(5*time.Second, &page, "coded")
		decoded := v.playing(1, 5*time.Second).KeyFrames
		return counts{counter(t, m, "forced"), counter(t, m, "idrs"), counter(t, m, "encoded"), page.Keys, decoded}
	}
	const joins, interval = 3, 300
	before := count()
	var slowest time.Duration
	for range joins {
		slowest = max(slowest, v.join(30*time.Second))
		v.leave()
	}
	var n counts
	eventually(t, 10*time.Second, "as many keyframes received and decoded as the driver made", func() bool {
		now := count()
		n = counts{
			now.forced - before.forced, now.idrs - before.idrs, now.encoded - before.encoded,
			now.received - before.received, now.decoded - before.decoded,
		}
		return min(n.received, n.decoded) >= n.idrs // the page counts those that were received a moment later
	})
	figures.add("keyframes by "+row, "%d viewers joined: %d asked for, %d made, %d received, %d decoded in %d frames; slowest to play %.1f s",
		joins, n.forced, n.idrs, n.received, n.decoded, n.encoded, slowest.Seconds())
	if n.forced < joins || n.idrs < joins {
		t.Errorf("the driver was asked for %d keyframes and made %d, want one for each of %d who joined", n.forced, n.idrs, joins)
	}
	// Between two requests the interval of its own may pass, and no more often.
	if byItself := n.encoded/interval + 1; n.idrs > n.forced+byItself {
		t.Errorf("%d keyframes for %d requests in %d frames", n.idrs, n.forced, n.encoded)
	}
	if n.received < n.idrs || n.decoded < n.idrs {
		t.Errorf("of %d keyframes %d were received and %d decoded", n.idrs, n.received, n.decoded)
	}
}

// trialled is one line of `boardcast encoders --json`.
type trialled struct {
	Element   string  `json:"element"`
	Hardware  bool    `json:"hardware"`
	Verdict   string  `json:"verdict"`
	Reason    string  `json:"reason"`
	PerSecond float64 `json:"frames_per_second"`
}

// tryEncoders has the program try its H.264 encoders, remembering nothing, and returns what it says of the lab's, of the
// one that it would take, and how long that took.
func tryEncoders(t *testing.T, m *Machine, size string, limit time.Duration) (ours, chosen trialled, took time.Duration) {
	t.Helper()
	began := time.Now()
	out := run(t, m, limit, fmt.Sprintf("CACHE_DIRECTORY=/run/trials-fresh %s encoders --json --fresh --codec h264 --size %s 2>/dev/null",
		programPath(t), size))
	took = time.Since(began)
	var list struct {
		Encoders []trialled `json:"encoders"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, e := range list.Encoders {
		if e.Verdict != "missing" && e.Verdict != "skipped" {
			t.Logf("%s %s: %s", e.Element, e.Verdict, e.Reason)
		}
		// One element has several rows, of which those for other versions are skipped.
		if e.Element == hardware && e.Verdict != "skipped" {
			ours = e
		}
		if e.Verdict == "chosen" {
			chosen = e
		}
	}
	if ours.Element == "" {
		t.Fatalf("%s was not tried:\n%s", hardware, out)
	}
	return ours, chosen, took
}

// TestEncodersCommand: `boardcast encoders` takes the lab's encoder, whose driver refuses a level too low for the size;
// and when the driver hangs in the kernel, so that not even the trial's process can be killed, it comes to an end all the
// same, says so and takes another.
func TestEncodersCommand(t *testing.T) {
	m := boot(t)
	load(t, m)
	for _, row := range []struct {
		name             string
		set              setting
		verdict, reason  string
		hardwareIsChosen bool
	}{
		{"driver refuses low levels", setting{"low_level", 1}, "chosen", "works", true},
		{"driver hangs", setting{"hang", 1}, "failed", "stuck|no picture came out", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			setParameter(t, m, "between", changedOnly)
			setParameter(t, m, row.set.parameter, row.set.value)
			ours, chosen, took := tryEncoders(t, m, "320x180", 90*time.Second)
			figures.add("boardcast encoders, "+row.name, "%.0f s; %s %s: %s; chosen: %s", took.Seconds(), ours.Element, ours.Verdict, ours.Reason, chosen.Element)
			if ours.Verdict != row.verdict || !regexp.MustCompile(row.reason).MatchString(ours.Reason) {
				t.Errorf("%s: %s, %q; want %s, %q", ours.Element, ours.Verdict, ours.Reason, row.verdict, row.reason)
			}
			if chosen.Element == "" || chosen.Hardware != row.hardwareIsChosen {
				t.Errorf("chosen %+v, want one in hardware: %v", chosen, row.hardwareIsChosen)
			}
		})
	}
}

// setting is a value of one of the encoder module's parameters.
type setting struct {
	parameter string
	value     int
}

// awaitLine waits until the program has printed a line with the text.
func awaitLine(t *testing.T, p *Process, text string, limit time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	found, err := p.Await(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
