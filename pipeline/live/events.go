package live

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
	"boardcast/pipeline/produce"
)

// heard deals with an event of the viewer's peer. An error ends the viewer.
func (v *Viewer) heard(e media.PeerEvent) error {
	switch e.Kind {
	case media.Closed:
		return ended(causeClosed, nil)
	case media.Warned:
		if !v.warned {
			v.log.Warn("viewer's media", "error", e.Err)
		}
		v.warned = true
		return nil
	default:
		return v.event(e)
	}
}

// incomingNames are the log's words for what a viewer sends, by slot.
var incomingNames = [2]string{pipeline.VideoSlot: "video", pipeline.AudioSlot: "audio"}

// silence is the lowest audio level that is told, in dB: digital silence would be minus infinity, which JSON cannot say.
const silence = -100

// event deals with the events of a connection that goes on.
func (v *Viewer) event(e media.PeerEvent) error {
	switch e.Kind {
	case media.NegotiationNeeded:
		if v.neg.role == offering && v.phase == joining {
			v.peer.Offer()
		}
	case media.Described:
		return v.described(e)
	case media.DescriptionSet:
		return v.descriptionSet(e)
	case media.CandidateFound:
		if e.Text != "" { // from 1.24 on the end of gathering is an empty one
			for _, text := range v.path.Told(e.Text) {
				v.send(Message{Candidate: text, Section: v.neg.agreed.PeerSection(e.Index)})
			}
		}
	case media.ConnectionChanged:
		return v.connectionChanged(e.State)
	case media.Failed:
		return v.failed(e.Err)
	case media.ChannelOpened, media.ChannelMessage, media.ChannelClosed:
		v.channel(e)
	case media.Incoming:
		v.stat.now.Incoming = append(v.stat.now.Incoming, e.Text)
		v.log.Info("incoming media", "media", e.Text)
	case media.Dropped:
		v.log.Warn("incoming media dropped; the viewer is served as before", "media", incomingNames[pipeline.Slot(e.Index)], "error", e.Err)
	case media.Level:
		db := math.Round(max(e.DB, silence)*10) / 10
		v.stat.now.IncomingAudioDB = &db
		v.b.opts.Speaker.heard(v.talk, db)
	case media.Reported:
		v.reported(e.Report)
	case media.GatheringChanged:
		if e.State == media.GatheringComplete {
			v.send(Message{Gathered: true})
		}
	}
	return nil
}

// leavers are the elements that fail first when a browser goes without closing the connection.
var leavers = []string{"sctpenc", "sctpdec", "dtlssrtpenc", "dtlsenc", "dtlsdec", "nicesink", "nicesrc"}

// failed is why the viewer ends when its pipeline failed: because the viewer has left, or for the failure itself.
func (v *Viewer) failed(err error) error {
	if v.phase < connected {
		return err
	}
	for _, element := range leavers {
		if strings.HasPrefix(err.Error(), element) {
			return &ending{cause: causeUnsendable, detail: err, debug: true}
		}
	}
	return err
}

// attach joins the agreed sections to the fans of their producers. No media flows before the connection is up.
func (v *Viewer) attach() error {
	for _, p := range v.neg.agreed.Parts {
		if out := v.neg.slots[p.Slot]; !p.Sends || out == nil || out.attached {
			continue
		}
		if err := v.attachPart(p); err != nil {
			return err
		}
	}
	if v.phase == connected {
		v.resume() // sections agreed on a connection that is up already
	}
	return nil
}

func (v *Viewer) attachPart(p agreement.Part) error {
	packets := p.Packets()
	if p.Slot == pipeline.AudioSlot {
		return v.attachTo(pipeline.AudioSlot, v.b.audio, packets)
	}
	v.stat.now.Codec = p.Codec
	if err := v.attachTo(pipeline.VideoSlot, v.b.coded[p.Codec], packets); err != nil {
		return err
	}
	v.adapt(v.b.coded[p.Codec], v.b.lower[p.Codec])
	return nil
}

func (v *Viewer) attachTo(slot pipeline.Slot, p *produce.Producer, packets agreement.Packets) error {
	out := v.neg.slots[slot]
	packets.Source = out.ssrc
	if err := v.peer.Attach(slot, packets, p.Fan()); err != nil {
		return err
	}
	out.attached = true
	v.use(p)
	return nil
}

// connectionChanged deals with a new state of the connection. An error ends the viewer.
func (v *Viewer) connectionChanged(state int) error {
	switch state {
	case media.ConnectionConnected:
		if v.phase >= connected {
			return nil
		}
		v.advance(connected, 0)
		v.b.opts.Limit.Connect(v.place)
		if v.publishes {
			v.b.viewers.count()
		}
		v.since = time.Now()
		v.stat.now.ConnectSeconds = v.since.Sub(v.stat.now.Since).Seconds()
		v.resume()
		v.log.Info("viewer connected", "codec", string(v.stat.now.Codec), "duration_seconds", v.stat.now.ConnectSeconds)
	case media.ConnectionFailed:
		if v.phase == connected {
			return ended(causeSilent, errors.New("no answer to the checks of ICE"))
		}
		return ended(causeUnconnected, errors.New("no pair of addresses works (a firewall, or another network without --stun or --turn)"))
	case media.ConnectionClosed:
		return ended(causeClosed, nil)
	}
	return nil
}

// channel greets on a new data channel, and answers requests.
func (v *Viewer) channel(e media.PeerEvent) {
	switch e.Kind {
	case media.ChannelOpened:
		v.channels = e.Index + 1
		if v.b.opts.Greeting != "" {
			v.peer.Send(e.Index, v.b.opts.Greeting)
		}
	case media.ChannelMessage:
		if !v.requests.Allow() {
			return
		}
		if text, ok := v.methods().answer(e.Text); ok {
			v.peer.Send(e.Index, text)
		}
	}
}

// talked does what the speaker decided about the viewer's voice, and tells the viewer.
func (v *Viewer) talked(s TalkStatus) {
	v.peer.Hear(s.State == talkPlaying)
	v.stat.now.Talk = nil
	if s.State != "" {
		v.stat.now.Talk = &s
	}
	text, err := json.Marshal(map[string]any{"talk": s})
	if err == nil && v.channels > 0 {
		v.peer.Send(v.channels-1, string(text))
	}
}
