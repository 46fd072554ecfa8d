package live

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
)

// channelLabel is the data channel's, as the reference peers call it.
const channelLabel = "channel"

// maxDescriptions is how many offers and answers one viewer may send: a page sends one.
const maxDescriptions = 16

// errTooMany ends a viewer that sends descriptions without end.
var errTooMany = errors.New("more descriptions than a viewer may send")

// negotiation is how far the two sides of a connection have come to agree.
type negotiation struct {
	offering bool // we are to make the offer
	open     bool // the peer has been opened
	oneWay   bool // see Message.OneWay
	remote   bool // the remote description is set
	heard    int  // descriptions that came in
	session  int64
	version  int
	offer    sdp.Description // of whichever side makes it
	theirs   sdp.Description // the peer's offer or answer
	given    sdp.Description // the peer's offer as webrtcbin was told it
	agreed   agreement.Agreement
	added    [2]bool // slots that have a section
	attached [2]bool
	ssrc     [2]uint32
}

func (v *Viewer) message(m Message) error {
	switch {
	case m.OfferRequest:
		v.neg.oneWay = v.neg.oneWay || m.OneWay
		return v.makeOffer()
	case m.Type != "":
		v.neg.oneWay = v.neg.oneWay || m.OneWay
		if v.neg.heard++; v.neg.heard > maxDescriptions {
			return errTooMany
		}
		return v.refusing(v.take(m))
	case m.Error != "" && phase(v.phase.Load()) < connected:
		return fmt.Errorf("%w: the other side says %q", errGone, m.Error)
	case m.Candidate != "":
		v.takeCandidate(m)
	}
	return nil // an empty candidate ends the other side's list
}

// refusing tells the other side why its description is refused. A viewer that is being served goes on as if nothing had been said.
func (v *Viewer) refusing(err error) error {
	if err == nil {
		return nil
	}
	v.send(Message{Error: err.Error()})
	if phase(v.phase.Load()) < connected {
		return err
	}
	v.log.Warn("description refused", "error", err)
	return nil
}

func (v *Viewer) take(m Message) error {
	if m.Type == "offer" {
		return v.takeOffer(m.SDP)
	}
	return v.takeAnswer(m.SDP)
}

func (v *Viewer) order() []pipeline.Codec {
	var out []pipeline.Codec
	for _, c := range v.b.plan().Choices {
		if v.b.coded[c.Encoder.Codec] != nil {
			out = append(out, c.Encoder.Codec)
		}
	}
	return out
}

// audioDirection is the direction of our audio section, empty for none.
func (v *Viewer) audioDirection() string {
	talkback := v.b.plan().Talkback && !v.neg.oneWay
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
	if v.neg.open {
		v.log.Debug("offer asked for twice")
		return nil
	}
	v.neg.offering = true
	if order := v.order(); len(order) > 0 {
		if err := v.addMedia(pipeline.VideoSlot, -1, agreement.VideoPreferences(order, v.b.plan().Format), "sendonly"); err != nil {
			return err
		}
	}
	if d := v.audioDirection(); d != "" {
		if err := v.addMedia(pipeline.AudioSlot, -1, agreement.AudioPreferences(), d); err != nil {
			return err
		}
	}
	v.neg.open = true
	if v.neg.oneWay {
		return v.peer.Open("")
	}
	return v.peer.Open(channelLabel)
}

func (v *Viewer) addMedia(slot pipeline.Slot, section int, preferences, direction string) error {
	if err := v.peer.AddMedia(slot, section, v.source(slot, preferences), direction); err != nil {
		return err
	}
	v.neg.added[slot] = true
	return nil
}

// takeOffer answers. webrtcbin is told of the sections that are served alone, in words of our own.
func (v *Viewer) takeOffer(text string) error {
	if v.neg.offering {
		v.log.Debug("offer crossed ours; ours stands")
		return nil
	}
	offer, err := sdp.ParseOffer(text)
	if err != nil {
		return fmt.Errorf("the offer is refused: %w", err)
	}
	t := agreement.Terms{Codecs: v.order(), Sliced: v.b.coded[pipeline.H264Slices] != nil, Sound: v.b.audio != nil, OneWay: v.neg.oneWay, Format: v.b.plan().Format}
	agreed, err := agreement.Agree(offer, t, v.neg.agreed)
	if err != nil {
		return fmt.Errorf("the offer is refused: %w", err)
	}
	given, err := offer.Normalise(agreed.Served)
	if err == nil {
		err = given.Continues(v.neg.given)
	}
	if err != nil {
		return fmt.Errorf("the offer is refused: %w", err)
	}
	for section, p := range agreed.Parts {
		if !p.Sends || v.neg.added[p.Slot] {
			continue
		}
		if err := v.addMedia(p.Slot, section, p.Preferences(t.Format), agreed.Served[section].Direction.String()); err != nil {
			return err
		}
	}
	v.neg.offer, v.neg.theirs, v.neg.given, v.neg.agreed = offer, offer, given, agreed
	if !v.neg.open {
		v.neg.open = true
		if err := v.peer.Open(""); err != nil {
			return err
		}
	}
	return v.setRemote("offer", given)
}

func (v *Viewer) takeAnswer(text string) error {
	if !v.neg.offering || phase(v.phase.Load()) != offered || v.neg.agreed.Parts != nil {
		v.log.Debug("answer without an offer")
		return nil
	}
	answer, err := sdp.Parse(text)
	if err != nil {
		return fmt.Errorf("the answer is refused: %w", err)
	}
	given, err := v.neg.offer.Fit(answer)
	if err != nil {
		return fmt.Errorf("the answer is refused: %w", err)
	}
	v.neg.theirs, v.neg.agreed = answer, agreement.Accepted(v.neg.offer, given, v.order(), v.b.audio != nil)
	return v.setRemote("answer", given)
}

// setRemote gives webrtcbin a description that was made to fit. It holds no candidates: those go the way of the ones that come alone.
func (v *Viewer) setRemote(typ string, given sdp.Description) error {
	var takes []int
	for _, p := range v.neg.agreed.Parts {
		takes = append(takes, p.Takes...)
	}
	v.peer.Take(takes)
	return v.peer.SetRemote(typ, given.String())
}

func (v *Viewer) event(e PeerEvent) error {
	switch e.Kind {
	case NegotiationNeeded:
		if v.neg.offering && phase(v.phase.Load()) == joining {
			v.peer.Offer()
		}
	case Described:
		return v.described(e)
	case DescriptionSet:
		return v.descriptionSet(e)
	case CandidateFound:
		if e.Text != "" { // from 1.24 on the end of gathering is an empty one
			v.send(Message{Candidate: e.Text, MLine: v.neg.agreed.Place(e.Index)})
		}
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

// described tells the other side of a description that webrtcbin made, written anew: our offer, or what fits the other side's.
func (v *Viewer) described(e PeerEvent) error {
	made, err := sdp.Parse(e.Text)
	if err != nil {
		return fmt.Errorf("read webrtcbin's %s: %w", e.Type, err)
	}
	out := made
	if e.Type == "offer" {
		agreement.NameTracks(out, v.neg.oneWay)
		v.neg.offer = made
	} else if out, err = v.neg.offer.Answer(v.neg.agreed.Served, made); err != nil {
		return v.refusing(fmt.Errorf("the offer is refused: %w", err))
	}
	if err := v.peer.SetLocal(e.Type, e.Text); err != nil {
		return err
	}
	if v.neg.session == 0 {
		v.neg.session = rand.Int64()
	}
	v.neg.version++
	out.Session, out.Version = v.neg.session, v.neg.version
	v.send(Message{Type: e.Type, SDP: out.String()})
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
		return v.refusing(fmt.Errorf("set description: %w", e.Err))
	case e.Index != remote:
		return nil
	}
	v.neg.remote = true
	v.candidates.release(v)
	if !v.neg.offering {
		v.peer.Answer()
		return nil
	}
	v.advance(answered, connectLimit)
	return v.attach()
}

// attach joins the agreed sections to the fans; media is held until the connection is up.
func (v *Viewer) attach() error {
	for _, p := range v.neg.agreed.Parts {
		if !p.Sends || !v.neg.added[p.Slot] || v.neg.attached[p.Slot] {
			continue
		}
		if err := v.attachPart(p); err != nil {
			return err
		}
	}
	if phase(v.phase.Load()) == connected {
		v.resume() // sections agreed on a connection that is up already
	}
	return nil
}

func (v *Viewer) attachPart(p agreement.Part) error {
	packets := p.Packets()
	if p.Slot == pipeline.AudioSlot {
		return v.attachTo(pipeline.AudioSlot, v.b.audio, packets)
	}
	v.stat.Codec = p.Codec
	if err := v.attachTo(pipeline.VideoSlot, v.b.coded[p.Codec], packets); err != nil {
		return err
	}
	v.adapt(v.b.coded[p.Codec], v.b.lower[p.Codec])
	return nil
}

func (v *Viewer) attachTo(slot pipeline.Slot, l *producer, p agreement.Packets) error {
	p.Source = v.neg.ssrc[slot]
	if err := v.peer.Attach(slot, p, l.fan); err != nil {
		return err
	}
	v.neg.attached[slot] = true
	v.use(l)
	return nil
}

func (v *Viewer) resume() {
	v.peer.Resume()
	for _, l := range v.using {
		l.requestKeyframe()
	}
}

func (v *Viewer) connection(state int) error {
	switch state {
	case ConnectionConnected:
		if phase(v.phase.Load()) >= connected {
			return nil
		}
		v.advance(connected, 0)
		v.b.opts.Limit.Connect(v.place)
		if v.publishes {
			v.b.joined.Add(1)
		}
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
