package hostile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// refusedWithin is how long the program may take to refuse a description.
const refusedWithin = 5 * time.Second

// wrong is one way in which an answer does not fit the offer.
type wrong struct {
	name  string
	alter func(d *Description)
}

// everywhere drops the lines with a prefix, in all sections.
func everywhere(prefix string) func(*Description) {
	return func(d *Description) {
		for _, part := range parts(d) {
			*part = slices.DeleteFunc(*part, func(line string) bool { return strings.HasPrefix(line, prefix) })
		}
	}
}

// wrongs are what an answer may not be. Each is made of an answer that is right.
var wrongs = []wrong{
	{"its group leaves sections out", func(d *Description) {
		d.Session = append(bare(d), "a=group:BUNDLE "+d.Mids()[len(d.Sections)-1])
	}},
	{"its group names nobody", func(d *Description) { d.Session = append(bare(d), "a=group:BUNDLE nobody") }},
	{"its group names one twice", func(d *Description) {
		d.Session = append(bare(d), "a=group:BUNDLE "+strings.Join(append(d.Mids(), d.Mids()[0]), " "))
	}},
	{"names beyond every number", func(d *Description) {
		for i, lines := range d.Sections {
			setValue(lines, "mid", []string{"18446744073709551616", "4294967296", "0"}[i%3])
		}
	}},
	{"all sections of one name", func(d *Description) {
		for _, lines := range d.Sections {
			setValue(lines, "mid", d.Mids()[0])
		}
	}},
	{"without ice-pwd", everywhere("a=ice-pwd:")},
	{"without ice-ufrag", everywhere("a=ice-ufrag:")},
	{"without a fingerprint", everywhere("a=fingerprint:")},
	{"a section lacks", func(d *Description) { d.Sections = d.Sections[:len(d.Sections)-1] }},
	{"no section at all", func(d *Description) { d.Sections = nil }},
	{"a section too many", func(d *Description) {
		added := slices.Clone(d.Sections[0])
		setValue(added, "mid", "another")
		d.Sections = append(d.Sections, added)
	}},
	{"sections in another order", func(d *Description) { slices.Reverse(d.Sections) }},
	{"kinds of media swapped", func(d *Description) {
		d.Sections[0][0], d.Sections[1][0] = d.Sections[1][0], d.Sections[0][0]
	}},
	{"a payload type that was not offered", func(d *Description) {
		for _, lines := range d.Sections {
			if strings.HasPrefix(lines[0], "m=video") {
				lines[0] = "m=video 9 UDP/TLS/RTP/SAVPF 35"
			}
		}
		everywhere("a=rtpmap:")(d)
		d.Sections[0] = append(d.Sections[0], "a=rtpmap:35 H264/90000")
	}},
	{"it sends where we send", func(d *Description) {
		everywhere("a=recvonly")(d)
		everywhere("a=sendrecv")(d)
		d.Sections[0] = append(d.Sections[0], "a=sendonly")
	}},
	{"1,000 sections", func(d *Description) {
		for len(d.Sections) < 1000 {
			d.Sections = append(d.Sections, []string{d.Sections[0][0], fmt.Sprint("a=mid:", len(d.Sections))})
		}
	}},
	{"a line of 100 kB", func(d *Description) { d.Sections[0] = append(d.Sections[0], "a="+strings.Repeat("x", 100_000)) }},
	{"10,000 lines", func(d *Description) {
		d.Sections[0] = append(d.Sections[0], slices.Repeat([]string{"a=ssrc:1 x"}, 10_000)...)
	}},
	{"a fingerprint of nothing", func(d *Description) {
		everywhere("a=fingerprint:")(d)
		for i := range d.Sections {
			d.Sections[i] = append(d.Sections[i], "a=fingerprint:sha-256 00:11")
		}
	}},
}

// bare are the session's lines without a group.
func bare(d *Description) []string {
	return slices.DeleteFunc(d.Session, func(line string) bool { return strings.HasPrefix(line, "a=group:") })
}

// wrongAnswers asks for an offer for each, and answers it wrongly. Each is to be refused with words.
func wrongAnswers(ctx context.Context, s Scene) (string, error) {
	var bad []error
	refused := 0
	for i, w := range wrongs {
		how, err := s.Door(i+1).answerWrongly(ctx, w)
		switch {
		case err != nil:
			bad = append(bad, fmt.Errorf("%s: %w", w.name, err))
		case how != "":
			bad = append(bad, fmt.Errorf("%s: %s", w.name, how))
		default:
			refused++
		}
	}
	return fmt.Sprintf("%d of %d refused with words", refused, len(wrongs)), errors.Join(bad...)
}

// answerWrongly tells in words what was wrong with how the answer was taken.
func (d Door) answerWrongly(ctx context.Context, w wrong) (string, error) {
	line, err := d.Call(ctx, "wrong")
	if err != nil {
		return "", err
	}
	defer line.Close()
	if err := line.Say("OFFER_REQUEST"); err != nil {
		return "", fmt.Errorf("ask for an offer: %w", err)
	}
	offer, err := line.Description(answerWithin)
	if err != nil {
		return "", fmt.Errorf("wait for the offer: %w", err)
	}
	answer := Read(Answer(offer, Credentials()))
	w.alter(&answer)
	if err := line.Describe("answer", answer.Text()); err != nil {
		return "", fmt.Errorf("send the answer: %w", err)
	}
	var s Session
	if _, err := line.Description(refusedWithin); err != nil {
		s.settleError(err)
	}
	switch {
	case s.Outcome == "refused":
		return "", nil
	case s.Outcome != "":
		return s.Outcome + " without words", nil
	case s.Err != nil:
		return "", s.Err
	}
	return "it was answered", nil
}
