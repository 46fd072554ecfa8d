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
const refusedWithin = 3 * time.Second

// takenWithin is how long to listen for the refusal of what may be taken.
const takenWithin = time.Second

// wrong is one way in which an answer does not fit the offer.
type wrong struct {
	name    string
	alter   func(d *Description)
	mayTake bool // the answer only has something extra: the program may ignore the extra part instead of refusing the answer
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
	{name: "its group leaves sections out", alter: func(d *Description) {
		d.Session = append(bare(d), "a=group:BUNDLE "+d.Mids()[len(d.Sections)-1])
	}},
	{name: "its group names nobody", alter: func(d *Description) { d.Session = append(bare(d), "a=group:BUNDLE nobody") }},
	{name: "its group names one twice", alter: func(d *Description) {
		d.Session = append(bare(d), "a=group:BUNDLE "+strings.Join(append(d.Mids(), d.Mids()[0]), " "))
	}},
	{name: "names beyond every number", alter: func(d *Description) {
		for i, lines := range d.Sections {
			setValue(lines, "mid", []string{"18446744073709551616", "4294967296", "0"}[i%3])
		}
	}},
	{name: "all sections of one name", alter: func(d *Description) {
		for _, lines := range d.Sections {
			setValue(lines, "mid", d.Mids()[0])
		}
	}},
	{name: "without ice-pwd", alter: everywhere("a=ice-pwd:")},
	{name: "without ice-ufrag", alter: everywhere("a=ice-ufrag:")},
	{name: "without a fingerprint", alter: everywhere("a=fingerprint:")},
	{name: "a section lacks", alter: func(d *Description) { d.Sections = d.Sections[:len(d.Sections)-1] }},
	{name: "no section at all", alter: func(d *Description) { d.Sections = nil }},
	{name: "a section too many", alter: func(d *Description) {
		added := slices.Clone(d.Sections[0])
		setValue(added, "mid", "another")
		d.Sections = append(d.Sections, added)
	}},
	{name: "sections in another order", alter: func(d *Description) { slices.Reverse(d.Sections) }},
	{name: "kinds of media swapped", alter: func(d *Description) {
		d.Sections[0][0], d.Sections[1][0] = d.Sections[1][0], d.Sections[0][0]
	}},
	{name: "a payload type that was not offered", alter: func(d *Description) {
		for _, lines := range d.Sections {
			if strings.HasPrefix(lines[0], "m=video") {
				lines[0] = "m=video 9 UDP/TLS/RTP/SAVPF 35"
			}
		}
		everywhere("a=rtpmap:")(d)
		d.Sections[0] = append(d.Sections[0], "a=rtpmap:35 H264/90000")
	}},
	{name: "it sends where we send", alter: func(d *Description) {
		everywhere("a=recvonly")(d)
		everywhere("a=sendrecv")(d)
		d.Sections[0] = append(d.Sections[0], "a=sendonly")
	}},
	{name: "1,000 sections", alter: func(d *Description) {
		for len(d.Sections) < 1000 {
			d.Sections = append(d.Sections, []string{d.Sections[0][0], fmt.Sprint("a=mid:", len(d.Sections))})
		}
	}},
	{name: "a line of 100 kB", alter: func(d *Description) {
		d.Sections[0] = append(d.Sections[0], "a="+strings.Repeat("x", 100_000))
	}, mayTake: true},
	{name: "10,000 lines", alter: func(d *Description) {
		d.Sections[0] = append(d.Sections[0], slices.Repeat([]string{"a=ssrc:1 x"}, 10_000)...)
	}, mayTake: true},
	{name: "a fingerprint of nothing", alter: func(d *Description) {
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
	return fmt.Sprintf("%d of %d as they should be", refused, len(wrongs)), errors.Join(bad...)
}

// answerWrongly sends one wrong answer to the program. It returns "" if the program refused the answer with words, or ignored it where
// mayTake allows that. Otherwise it returns what the program did instead.
func (d Door) answerWrongly(ctx context.Context, w wrong) (string, error) {
	line, offer, err := d.ask(ctx, "wrong-"+d.From.String())
	if err != nil {
		return "", err
	}
	defer line.Close()
	answer := Read(Answer(offer, Credentials()))
	w.alter(&answer)
	if err = line.Describe("answer", answer.Text()); err != nil {
		return "", fmt.Errorf("send the answer: %w", err)
	}
	within := refusedWithin
	if w.mayTake {
		within = takenWithin
	}
	var s Session
	s.outcome(line.Description(within))
	switch {
	case s.Outcome == "refused", s.Outcome == "silent" && w.mayTake:
		return "", nil
	case s.Err != nil:
		return "", s.Err
	}
	return s.Outcome + ", without words", nil
}
