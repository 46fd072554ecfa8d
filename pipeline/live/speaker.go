package live

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"boardcast/internal/latest"
	"boardcast/pipeline"
	"boardcast/pipeline/media"
	"boardcast/pipeline/produce"
)

// What becomes of a viewer's voice.
const (
	talkPlaying  = "playing"  // the speaker plays it
	talkReplaced = "replaced" // another viewer has begun to talk since
	talkFailed   = "failed"   // the speaker cannot be used
)

// silentDB is the audio level in dB below which a viewer does not talk: microphones of a quiet room give about -60, speech about -30.
const silentDB = -55

// talkPause is how long a viewer may be silent and still talks: a pause for breath must not let another talker in.
const talkPause = 2 * time.Second

// speakerGrace is how long the speaker stays open after the last voice, so that an answer does not wait for it to be opened again.
const speakerGrace = 3 * time.Second

// speakerOpen bounds one attempt to open the speaker. A card takes far less. During the attempt no viewer is told
// what becomes of its voice.
const speakerOpen = 5 * time.Second

// paceSpeaker is the pace of a speaker that failed, while a viewer talks. A card that another program holds is often free again within
// seconds.
var paceSpeaker = produce.Pace{First: 5 * time.Second, Longest: time.Minute}

// speakerTick is the time between two looks at which viewers still talk: short against the times above.
const speakerTick = 250 * time.Millisecond

// speakerQueue is how many audio levels may wait while the speaker is being opened: five a second come of each viewer. Further ones are
// dropped.
const speakerQueue = 256

// TalkStatus is what becomes of a viewer's voice, for the viewer and for the status.
type TalkStatus struct {
	State  string `json:"state"` // playing, replaced or failed
	Reason string `json:"reason,omitempty"`
}

// talker is a viewer as the speaker knows it.
type talker struct {
	changed chan TalkStatus // holds the newest status, with no state once the viewer is silent; the viewer takes it out
}

func newTalker() *talker { return &talker{changed: make(chan TalkStatus, 1)} }

// tell leaves the newest status for the viewer. Only the speaker's goroutine calls it.
func (t *talker) tell(s TalkStatus) { latest.Put(t.changed, s) }

// voice is a viewer that talks.
type voice struct {
	talker *talker
	last   time.Time // when it was last heard
	told   TalkStatus
}

// level is a viewer's audio level.
type level struct {
	from *talker
	db   float64
}

// Speaker plays what viewers say, one viewer at a time: the one that began to talk last. The speaker is open only while somebody talks.
// Its failure is told to the viewers that talk, and ends none.
//
// # Concurrency
//
// Run is called once; all else may be called from any goroutine and never waits.
type Speaker struct {
	engine media.Engine
	log    *slog.Logger
	fan    media.Fan // of decoded sound; the viewer that is played fills it
	levels chan level
	graph  atomic.Pointer[pipeline.Graph]
	retry  chan struct{} // a speaker that failed may be tried at once

	// Run's own:
	voices []voice // in the order in which they began, the newest last
	stage  openSpeaker
}

// openSpeaker is the stage that plays, or why there is none.
type openSpeaker struct {
	media.Stage
	failure string    // why the last attempt to open or to use it failed; empty where it did not fail
	logged  string    // the failure that was logged last; empty once a speaker was closed because nobody talked
	again   time.Time // when it may be tried again
	strikes int       // failures, one after the other
	used    time.Time // when a viewer last talked
}

// NewSpeaker makes a speaker that a plan's Speak describes; an empty graph stands for none.
func NewSpeaker(e media.Engine, g pipeline.Graph, log *slog.Logger) *Speaker {
	s := &Speaker{engine: e, log: log, fan: e.Fan(false), levels: make(chan level, speakerQueue), retry: make(chan struct{}, 1)}
	s.adopt(g)
	return s
}

// Close frees the speaker, once Run and all broadcasts that use it have ended.
func (s *Speaker) Close() { s.fan.Close() }

// adopt goes over to another speaker. One that is open is used until it is closed.
func (s *Speaker) adopt(g pipeline.Graph) {
	if s != nil {
		s.graph.Store(&g)
		s.tryAgain()
	}
}

// tryAgain lets a speaker that failed be tried at once: a device was plugged in, or let go by another program.
func (s *Speaker) tryAgain() {
	if s != nil {
		latest.Poke(s.retry)
	}
}

// input is where a viewer's sound goes; nil without a speaker.
func (s *Speaker) input() media.Fan {
	if s == nil {
		return nil
	}
	return s.fan
}

// present reports whether there is a speaker, be it busy or not.
func (s *Speaker) present() bool { return s != nil && len(*s.graph.Load()) > 0 }

// heard tells how loud a viewer is.
func (s *Speaker) heard(t *talker, db float64) {
	if s == nil || db < silentDB {
		return
	}
	select {
	case s.levels <- level{t, db}:
	default: // the speaker is being opened; the viewer's next audio level tells the same
	}
}

// Run plays what viewers say until ctx ends.
func (s *Speaker) Run(ctx context.Context) error {
	clock := time.NewTicker(speakerTick)
	defer clock.Stop()
	defer s.close()
	for {
		var events <-chan media.StageEvent
		if s.stage.Stage != nil {
			events = s.stage.Events()
		}
		select {
		case <-ctx.Done():
			return nil
		case l := <-s.levels:
			s.voice(l)
		case e := <-events:
			s.event(e)
		case <-s.retry:
			s.stage.again, s.stage.strikes = time.Time{}, 0
		case <-clock.C:
			s.expire(time.Now())
		}
		s.settle(ctx)
	}
}

// voice notes that a viewer talks. One that begins is the newest.
func (s *Speaker) voice(l level) {
	now := time.Now()
	s.stage.used = now
	for i := range s.voices {
		if s.voices[i].talker == l.from {
			s.voices[i].last = now
			return
		}
	}
	s.voices = append(s.voices, voice{talker: l.from, last: now})
}

// event deals with an event of the stage. Any end of it is a failure.
func (s *Speaker) event(e media.StageEvent) {
	switch {
	case e.Warning:
		s.log.Debug("speaker", "error", e.Err)
	case e.Err != nil:
		s.fail(e.Err)
	case e.Ended:
		s.fail(media.ErrEnded)
	}
}

// expire forgets each viewer that has been silent for talkPause. When the last one has been forgotten for speakerGrace, expire closes the
// speaker. The speaker has worked until then, so its earlier failures are forgotten.
func (s *Speaker) expire(now time.Time) {
	s.voices = slices.DeleteFunc(s.voices, func(v voice) bool {
		silent := now.Sub(v.last) >= talkPause
		if silent {
			v.talker.tell(TalkStatus{})
		}
		return silent
	})
	if s.stage.Stage != nil && now.Sub(s.stage.used) >= talkPause+speakerGrace {
		s.close()
		s.stage.strikes, s.stage.logged = 0, ""
	}
}

// settle opens the speaker where somebody talks, and tells each viewer that talks what becomes of its voice.
func (s *Speaker) settle(ctx context.Context) {
	if len(s.voices) > 0 && s.stage.Stage == nil && !time.Now().Before(s.stage.again) {
		s.open(ctx)
	}
	for i := range s.voices {
		v := &s.voices[i]
		now := TalkStatus{State: talkPlaying}
		switch {
		case i < len(s.voices)-1:
			now.State = talkReplaced
		case s.stage.Stage == nil:
			now = TalkStatus{talkFailed, s.stage.failure}
		}
		if v.told != now {
			v.told = now
			v.talker.tell(now)
		}
	}
}

func (s *Speaker) open(ctx context.Context) {
	g := *s.graph.Load()
	if len(g) == 0 {
		s.stage.failure, s.stage.again = "there is no speaker", time.Now().Add(paceSpeaker.First)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, speakerOpen)
	defer cancel()
	stage, err := s.engine.Start(ctx, g, s.fan, nil)
	if err != nil {
		s.fail(err)
		return
	}
	s.stage.Stage, s.stage.failure = stage, ""
	s.log.Info("speaker opened")
}

// fail closes the speaker, and logs why once: the same failure of a later try is not logged again.
func (s *Speaker) fail(err error) {
	s.close()
	st := &s.stage
	st.failure = err.Error()
	st.strikes++
	st.again = time.Now().Add(paceSpeaker.After(st.strikes))
	if st.logged != st.failure {
		s.log.Warn("the speaker plays nothing; viewers are served as before", "error", err)
	}
	st.logged = st.failure
}

func (s *Speaker) close() {
	if s.stage.Stage == nil {
		return
	}
	if err := s.stage.Close(); err != nil {
		s.log.Error("close speaker", "error", err)
	}
	s.stage.Stage = nil
}
