package live

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"boardcast/internal/sdp"
	"boardcast/pipeline"
	"boardcast/pipeline/agreement"
	"boardcast/pipeline/media"
)

// channelLabel is the data channel's name, as the reference peers call it.
const channelLabel = "channel"

// maxDescriptions is how many offers and answers one viewer may send: a page sends one. Each costs webrtcbin some work.
const maxDescriptions = 16

// errTooMany ends a viewer that sends descriptions without end.
var errTooMany = errors.New("more descriptions than a viewer may send")

// role is which side makes the offers.
type role int

const (
	undecided role = iota // neither side has made one; the peer has not been opened
	offering              // we do
	answering             // the viewer does
)

// negotiation is how far a viewer and we have come to agree.
type negotiation struct {
	role   role
	oneWay bool // see Message.OneWay
	heard  int  // descriptions that the viewer sent
	origin origin
	offer  sdp.Description // the newest, of whichever side makes it
	theirs sdp.Description // the viewer's offer or answer
	given  sdp.Description // the viewer's offer as webrtcbin was told it
	agreed agreement.Agreement
	slots  [2]*outgoing // nil: the slot has no section
}

// origin numbers our descriptions, as the o= line of each has it.
type origin struct {
	session int64
	version int
}

// outgoing is what a viewer is sent in one slot.
type outgoing struct {
	ssrc     uint32
	attached bool // to its producer's fan
}

// sign gives a description the numbers of the next one.
func (o *origin) sign(d *sdp.Description) {
	if o.session == 0 {
		o.session = rand.Int64()
	}
	o.version++
	d.Session, d.Version = o.session, o.version
}

// message deals with a message of the viewer's. An error ends the viewer.
func (v *Viewer) message(m Message) error {
	switch {
	case m.OfferRequest:
		v.neg.oneWay = v.neg.oneWay || m.OneWay
		return v.makeOffer()
	case m.Type != "":
		v.neg.oneWay = v.neg.oneWay || m.OneWay
		if v.neg.heard++; v.neg.heard > maxDescriptions {
			return ended(causeRefused, errTooMany)
		}
		return v.refusing(v.take(m))
	case m.Error != "" && v.phase < connected:
		return ended(causeDeclined, fmt.Errorf("the other side says %q", m.Error))
	case m.Candidate != "":
		v.takeCandidate(m)
	}
	return nil // an empty ICE candidate ends the viewer's list
}

// refusing tells the viewer why its description is refused. A viewer that is connected goes on as before.
func (v *Viewer) refusing(err error) error {
	if err == nil {
		return nil
	}
	v.send(Message{Error: err.Error()})
	if v.phase < connected {
		return ended(causeRefused, err)
	}
	v.log.Warn("description refused", "error", err)
	return nil
}

// take takes the viewer's offer or answer.
func (v *Viewer) take(m Message) error {
	if m.Type == "offer" {
		return v.takeOffer(m.SDP)
	}
	return v.takeAnswer(m.SDP)
}

// order is the codecs that we make, in the order of the plan.
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

// videoDirection is the direction of our video section.
func (v *Viewer) videoDirection() string {
	if v.b.plan().Display && !v.neg.oneWay {
		return "sendrecv"
	}
	return "sendonly"
}

// makeOffer begins an offer of all our codecs in one section: the answer tells which one the viewer takes.
func (v *Viewer) makeOffer() error {
	if v.neg.role != undecided {
		v.log.Debug("offer asked for twice")
		return nil
	}
	v.neg.role = offering
	if order := v.order(); len(order) > 0 {
		if err := v.addMedia(pipeline.VideoSlot, -1, agreement.VideoPreferences(order, v.b.plan().Format), v.videoDirection()); err != nil {
			return err
		}
	}
	if d := v.audioDirection(); d != "" {
		if err := v.addMedia(pipeline.AudioSlot, -1, agreement.AudioPreferences(), d); err != nil {
			return err
		}
	}
	if v.neg.oneWay {
		return v.peer.Open("")
	}
	return v.peer.Open(channelLabel)
}

// addMedia adds a section in which a slot is sent: the section at this place of the viewer's offer, or the next one of ours (-1).
func (v *Viewer) addMedia(slot pipeline.Slot, section int, preferences, direction string) error {
	ssrc := newSSRC()
	if err := v.peer.AddMedia(slot, section, withSSRC(preferences, ssrc), direction); err != nil {
		return err
	}
	v.neg.slots[slot] = &outgoing{ssrc: ssrc}
	return nil
}

// takeOffer begins the answer to the viewer's offer. webrtcbin is told of the sections alone that are served, in a text of our own.
func (v *Viewer) takeOffer(text string) error {
	if v.neg.role == offering {
		v.log.Debug("offer crossed ours; ours stands")
		return nil
	}
	offer, err := sdp.ParseOffer(text)
	if err != nil {
		return fmt.Errorf("the offer is refused: %w", err)
	}
	terms := agreement.Terms{
		Codecs: v.order(), Sliced: v.b.coded[pipeline.H264Slices] != nil, Sound: v.b.audio != nil,
		OneWay: v.neg.oneWay, Silent: !v.b.plan().Talkback, Unseen: !v.b.plan().Display,
		Format: v.b.plan().Format,
	}
	agreed, err := agreement.Agree(offer, terms, v.neg.agreed)
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
	if err := v.addAgreed(agreed, terms.Format); err != nil {
		return err
	}
	v.neg.offer, v.neg.theirs, v.neg.given, v.neg.agreed = offer, offer, given, agreed
	if v.neg.role == undecided {
		v.neg.role = answering
		if err := v.peer.Open(""); err != nil {
			return err
		}
	}
	return v.setRemote("offer", given)
}

// addAgreed adds those sections of the viewer's offer in which we send and have not sent yet.
func (v *Viewer) addAgreed(agreed agreement.Agreement, f pipeline.VideoFormat) error {
	for section, part := range agreed.Parts {
		if !part.Sends || v.neg.slots[part.Slot] != nil {
			continue
		}
		direction := agreed.Served[section].Direction.String()
		if err := v.addMedia(part.Slot, section, part.Preferences(f), direction); err != nil {
			return err
		}
	}
	return nil
}

// takeAnswer takes the viewer's answer to our offer, once.
func (v *Viewer) takeAnswer(text string) error {
	if v.phase != offered || v.neg.agreed.Parts != nil {
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

// setRemote gives webrtcbin the viewer's description in our own words. It holds no ICE candidates: those of the viewer's description
// go the same way as those that come in messages.
func (v *Viewer) setRemote(typ string, given sdp.Description) error {
	var takes []int
	for _, p := range v.neg.agreed.Parts {
		takes = append(takes, p.Takes...)
	}
	v.peer.Take(takes)
	return v.peer.SetRemote(typ, given.String())
}

// described sends the viewer a description that webrtcbin made, written anew: our offer, or an answer that fits the viewer's offer.
func (v *Viewer) described(e media.PeerEvent) error {
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
	if len(made.Sections) > 0 {
		v.path.Named(made.Sections[0].Credentials.Ufrag) // all sections have one transport
	}
	v.neg.origin.sign(&out)
	v.send(Message{Type: e.Type, SDP: out.String()})
	if e.Type == "offer" {
		v.advance(offered, answerLimit)
		return nil
	}
	v.advance(answered, connectLimit)
	return v.attach()
}

// descriptionSet goes on once webrtcbin has taken the viewer's description.
func (v *Viewer) descriptionSet(e media.PeerEvent) error {
	const remote = 1 // Index of the viewer's description
	switch {
	case e.Err != nil:
		return v.refusing(fmt.Errorf("set description: %w", e.Err))
	case e.Index != remote:
		return nil
	}
	v.candidates.release(v)
	if v.neg.role != offering {
		v.peer.Answer()
		return nil
	}
	v.advance(answered, connectLimit)
	return v.attach()
}
