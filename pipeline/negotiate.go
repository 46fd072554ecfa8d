package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// channelLabel is the data channel's, as the reference peers call it.
const channelLabel = "channel"

func (v *Viewer) message(m Message) error {
	switch {
	case m.OfferRequest:
		v.oneWay = v.oneWay || m.OneWay
		return v.makeOffer()
	case m.Type == "offer":
		v.oneWay = v.oneWay || m.OneWay
		return v.takeOffer(m.SDP)
	case m.Type == "answer":
		return v.takeAnswer(m.SDP)
	case m.Candidate != "":
		return v.takeCandidate(m)
	}
	return nil // an empty candidate ends the other side's list
}

func (v *Viewer) order() []Codec {
	var out []Codec
	for _, c := range v.b.plan().Choices {
		if v.b.coded[c.Encoder.Codec] != nil {
			out = append(out, c.Encoder.Codec)
		}
	}
	return out
}

// audioDirection is the direction of our audio section, empty for none.
func (v *Viewer) audioDirection() string {
	talkback := v.b.plan().Talkback && !v.oneWay
	switch {
	case v.b.audio != nil && talkback:
		return "sendrecv"
	case v.b.audio != nil:
		return "sendonly"
	case talkback:
		return "recvonly"
	}
	return ""
}

// makeOffer begins an offer of all our codecs in one section: the answer tells which one the viewer takes.
func (v *Viewer) makeOffer() error {
	if v.open {
		v.log.Debug("offer asked for twice")
		return nil
	}
	v.offering = true
	var prefs []string
	for _, c := range v.order() {
		prefs = append(prefs, following(Preferences(c, v.b.plan().Format, payloadTypes[c]), transportCCID))
	}
	if len(prefs) > 0 {
		if err := v.peer.AddMedia(VideoSlot, -1, v.source(VideoSlot, strings.Join(prefs, ";")), "sendonly"); err != nil {
			return err
		}
		v.added[VideoSlot] = true
	}
	if d := v.audioDirection(); d != "" {
		if err := v.peer.AddMedia(AudioSlot, -1, v.source(AudioSlot, opusPreferences(opusPayloadType)), d); err != nil {
			return err
		}
		v.added[AudioSlot] = true
	}
	v.open = true
	if v.oneWay {
		return v.peer.Open("")
	}
	return v.peer.Open(channelLabel)
}

// takeOffer answers: our sections go where the other side's are, with its payload types.
func (v *Viewer) takeOffer(text string) error {
	sections, err := parseSDP(text)
	if err != nil {
		return err
	}
	if v.offering {
		v.log.Debug("offer crossed ours; ours stands")
		return nil
	}
	v.sections = sections
	if err := v.addAnswerMedia(); err != nil {
		return err
	}
	if v.oneWay && !v.added[VideoSlot] && len(v.b.coded) > 0 && slices.ContainsFunc(sections, section.wantsVideo) {
		return fmt.Errorf("the viewer takes none of our codecs (%v)", v.order())
	}
	if !v.open {
		v.open = true
		if err := v.peer.Open(""); err != nil {
			return err
		}
	}
	return v.peer.SetRemote("offer", text)
}

func (v *Viewer) addAnswerMedia() error {
	for i, s := range v.sections {
		slot, direction, prefs := v.answerSection(s)
		if prefs == "" || v.added[slot] {
			continue
		}
		if err := v.peer.AddMedia(slot, i, v.source(slot, prefs), direction); err != nil {
			return err
		}
		v.added[slot], v.mlines[slot] = true, i
	}
	return nil
}

// answerSection says what we put in a section of the other side's offer; no preferences mean nothing.
func (v *Viewer) answerSection(s section) (slot Slot, direction, prefs string) {
	if s.rejected || !s.takes {
		return 0, "", ""
	}
	direction = "sendrecv"
	if v.oneWay {
		direction = "sendonly"
	}
	switch s.kind {
	case "video":
		if c, pt, ok := s.pick(v.order()); ok {
			return VideoSlot, direction, following(Preferences(c, v.b.plan().Format, pt), s.following(pt))
		}
	case "audio":
		if _, pt, ok := s.pick([]Codec{opus}); ok && v.b.audio != nil {
			return AudioSlot, direction, opusPreferences(pt)
		}
	}
	return 0, "", ""
}

func (v *Viewer) takeAnswer(text string) error {
	sections, err := parseSDP(text)
	if err != nil {
		return err
	}
	if !v.offering || phase(v.phase.Load()) != offered {
		v.log.Debug("answer without an offer")
		return nil
	}
	v.sections = sections
	return v.peer.SetRemote("answer", text)
}

func (v *Viewer) takeCandidate(m Message) error {
	switch {
	case m.MLine < 0 || m.MLine > 64:
		return nil
	case v.remote:
		v.peer.AddCandidate(m.MLine, m.Candidate)
	case len(v.pending) < maxCandidates:
		v.pending = append(v.pending, m)
	}
	return nil
}

func (v *Viewer) event(e PeerEvent) error {
	switch e.Kind {
	case NegotiationNeeded:
		if v.offering && phase(v.phase.Load()) == joining {
			v.peer.Offer()
		}
	case Described:
		return v.described(e)
	case DescriptionSet:
		return v.descriptionSet(e)
	case CandidateFound:
		v.send(Message{Candidate: e.Text, MLine: e.Index})
	case ConnectionChanged:
		return v.connection(e.State)
	case Failed:
		return v.failed(e.Err)
	case ChannelOpened, ChannelMessage, ChannelClosed:
		v.channel(e)
	case Incoming:
		v.stat.Incoming = append(v.stat.Incoming, e.Text)
		v.log.Info("incoming media", "media", e.Text)
	case Level:
		db := math.Round(max(e.DB, -100)*10) / 10
		v.stat.IncomingAudioDB = &db
	case Reported:
		v.reported(e.Report)
	case GatheringChanged:
		if e.State == GatheringComplete {
			v.send(Message{Gathered: true})
		}
	}
	return nil
}

// leavers are the elements that fail first when a browser closes a connection without a word.
var leavers = []string{"sctpenc", "sctpdec", "dtlssrtpenc", "dtlsenc", "dtlsdec", "nicesink", "nicesrc"}

func (v *Viewer) failed(err error) error {
	if phase(v.phase.Load()) < connected {
		return err
	}
	for _, l := range leavers {
		if strings.HasPrefix(err.Error(), l) {
			return fmt.Errorf("%w: %w", errGone, err)
		}
	}
	return err
}

func (v *Viewer) described(e PeerEvent) error {
	if err := v.peer.SetLocal(e.Type, e.Text); err != nil {
		return err
	}
	v.send(Message{Type: e.Type, SDP: v.outgoing(e.Text)})
	if e.Type == "offer" {
		v.advance(offered, answerLimit)
		return nil
	}
	v.advance(answered, connectLimit)
	return v.attach()
}

func (v *Viewer) descriptionSet(e PeerEvent) error {
	const remote = 1
	switch {
	case e.Err != nil:
		return fmt.Errorf("set description: %w", e.Err)
	case e.Index != remote:
		return nil
	}
	v.remote = true
	for _, m := range v.pending {
		v.peer.AddCandidate(m.MLine, m.Candidate)
	}
	v.pending = nil
	if !v.offering {
		v.peer.Answer()
		return nil
	}
	v.advance(answered, connectLimit)
	return v.attach()
}

// attach joins the agreed sections to the fans; media is held until the connection is up.
func (v *Viewer) attach() error {
	v.peer.Take(v.incoming())
	for _, s := range v.sections {
		if s.rejected || !s.takes {
			continue
		}
		switch {
		case s.kind == "video" && v.added[VideoSlot] && !v.attached[VideoSlot]:
			c, pt, ok := s.pick(v.order())
			if !ok {
				return fmt.Errorf("the viewer takes none of our codecs (%v)", v.order())
			}
			v.stat.Codec = c
			if err := v.attachTo(VideoSlot, v.b.coded[c], Packets{Payloader: payloaders[c], Type: pt, Numbers: s.following(pt)}); err != nil {
				return err
			}
			v.follow(v.b.coded[c], v.b.lower[c])
		case s.kind == "audio" && v.added[AudioSlot] && !v.attached[AudioSlot] && v.b.audio != nil:
			_, pt, ok := s.pick([]Codec{opus})
			if !ok {
				continue
			}
			if err := v.attachTo(AudioSlot, v.b.audio, Packets{Payloader: payloaders[opus], Type: pt}); err != nil {
				return err
			}
		}
	}
	if phase(v.phase.Load()) == connected {
		v.resume() // sections agreed on a connection that is up already
	}
	return nil
}

func (v *Viewer) attachTo(slot Slot, l *line, p Packets) error {
	p.Source = v.ssrc[slot]
	if err := v.peer.Attach(slot, p, l.fan); err != nil {
		return err
	}
	v.attached[slot] = true
	v.use(l)
	return nil
}

func (v *Viewer) resume() {
	v.peer.Resume()
	for _, l := range v.using {
		l.ask()
	}
}

func (v *Viewer) connection(state int) error {
	switch state {
	case ConnectionConnected:
		if phase(v.phase.Load()) >= connected {
			return nil
		}
		v.advance(connected, 0)
		v.connectedAt = time.Now()
		v.stat.ConnectSeconds = v.connectedAt.Sub(v.stat.Since).Seconds()
		v.resume()
		v.log.Info("viewer connected", "codec", string(v.stat.Codec), "duration_seconds", v.stat.ConnectSeconds)
	case ConnectionFailed:
		return errors.New("connection failed: no pair of addresses works (a firewall, or another network without --stun or --turn)")
	case ConnectionClosed:
		return fmt.Errorf("%w: connection closed", errGone)
	}
	return nil
}

func (v *Viewer) channel(e PeerEvent) {
	switch e.Kind {
	case ChannelOpened:
		if v.b.opts.Greeting != "" {
			v.peer.Send(e.Index, v.b.opts.Greeting)
		}
	case ChannelMessage:
		if !v.limit.Allow() {
			return
		}
		if text, ok := v.methods().answer(e.Text); ok {
			v.peer.Send(e.Index, text)
		}
	}
}
