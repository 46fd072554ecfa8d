//go:build !nogst

package gst

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// spy is an engine that shows what a broadcast asks of it.
type spy struct {
	*Engine
	mu    sync.Mutex
	peers []media.Peer
	fans  []media.Fan // of video, as attached
}

func (s *spy) Peer(ctx context.Context, o media.PeerOptions) (media.Peer, error) {
	p, err := s.Engine.Peer(ctx, o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers = append(s.peers, p)
	return spied{p, s}, nil
}

type spied struct {
	media.Peer
	s *spy
}

func (p spied) Attach(slot pipeline.Slot, k agreement.Packets, f media.Fan) error {
	if slot == pipeline.VideoSlot {
		p.s.mu.Lock()
		p.s.fans = append(p.s.fans, f)
		p.s.mu.Unlock()
	}
	return p.Peer.Attach(slot, k, f)
}

// seen is a graph that writes the decoded frames to dir, each to a file of its own, and keeps the newest few.
func seen(dir string) pipeline.Graph {
	return pipeline.Graph{
		pipeline.El("queue").Named(pipeline.InName), pipeline.El("decodebin"), pipeline.El("videoconvert"),
		pipeline.Filter("video/x-raw,format=GRAY8"),
		pipeline.El("multifilesink", "location="+filepath.Join(dir, "%06d"), "max-files=5", "sync=false", "async=false"),
	}
}

// newest is the size of the newest whole frame in dir, and the name of its file.
func newest(t *testing.T, dir string) (pixels int, name string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 2 {
		return 0, ""
	}
	last := list[len(list)-2] // the last one may be half written
	info, err := last.Info()
	if err != nil {
		return 0, "" // just removed
	}
	return int(info.Size()), last.Name()
}

// answer meets the keyframe requests that come to a fan, as a line does, until ctx ends.
func answer(ctx context.Context, f media.Fan, force func()) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.KeyWanted():
				force()
			}
		}
	}()
	return done
}

// behind is a graph whose encoder gives each frame 0.2 s late, as encoders in hardware do.
func behind(g pipeline.Graph) pipeline.Graph {
	return slices.Insert(slices.Clone(g), 1, pipeline.El("queue", "min-threshold-time=200000000", "max-size-buffers=0", "max-size-bytes=0"))
}

// A connected viewer goes over to the lower rendition and back, again and again, and decodes it all: the size that it sees
// is the one of what feeds it, and nothing fails.
func TestViewerChangesRendition(t *testing.T) {
	e, err := New(testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, codec := range []string{"h264", "vp8"} {
		t.Run(codec, func(t *testing.T) {
			dir := t.TempDir()
			plan, other := testPlan(t, e, codec), testPlan(t, e, "auto")
			other.See = seen(dir)
			s := &spy{Engine: e}
			a, b := broadcast(t, s, plan), broadcast(t, e, other)
			va, vb := call(t, a, b)
			defer hangUp(va, vb)
			// What receives here asks for no keyframe when a busy machine has made one late; a browser does.
			sees := func(width, height int, ask func()) {
				t.Helper()
				asked := time.Now()
				eventually(t, "the picture has another size", 15*time.Second, func() bool {
					pixels, _ := newest(t, dir)
					if time.Since(asked) > time.Second {
						asked = time.Now()
						ask()
					}
					return pixels == width*height
				})
				_, before := newest(t, dir)
				eventually(t, "it moves", 15*time.Second, func() bool { _, now := newest(t, dir); return now > before })
			}
			sees(320, 240, func() {})
			s.mu.Lock()
			sender, first := s.peers[0].(*peer), s.fans[0]
			s.mu.Unlock()
			askFirst := func() {
				select {
				case first.(*fan).key <- struct{}{}:
				default:
				}
			}

			capture := e.Fan(false)
			defer capture.Close()
			camera, err := e.Start(t.Context(), plan.Capture, nil, capture)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = camera.Close() }()
			lower := e.Fan(true)
			defer lower.Close()
			made := plan.Lower[0]
			encoder, err := e.Start(t.Context(), behind(made.Graph), capture, lower)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = encoder.Close() }()
			ctx, cancel := context.WithCancel(t.Context())
			answered := answer(ctx, lower, func() { _ = encoder.Keyframe(made.Encoder.Keyframe) })
			defer func() { cancel(); <-answered }()
			out := watch(t, sender, pipeline.Codec(codec))
			for range 3 {
				sender.Feed(lower)
				if err := encoder.Keyframe(made.Encoder.Keyframe); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the lower rendition takes over", 5*time.Second, sender.Fed)
				sees(160, 120, func() { _ = encoder.Keyframe(made.Encoder.Keyframe) })
				sender.Feed(first) // nobody asks that one for a keyframe, so nothing changes
				if sender.Fed() {
					t.Error("moved without a keyframe")
				}
				sender.Feed(lower)
				if !sender.Fed() {
					t.Error("a move that was given up goes on")
				}
				sender.Feed(first)
				askFirst()
				eventually(t, "the first rendition takes over", 5*time.Second, sender.Fed)
				sees(320, 240, askFirst)
			}
			out.check(t)
			select {
			case <-va.Done():
				t.Error("the sending side was lost")
			case <-vb.Done():
				t.Error("the receiving side was lost")
			default:
			}
		})
	}
}
