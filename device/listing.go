package device

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Listing is what List found. Its JSON is exactly {"cameras": [...], "microphones": [...], "speakers": [...]}; from
// List none of the three is nil.
type Listing struct {
	Cameras     []Camera  `json:"cameras"`
	Microphones []Sound   `json:"microphones"`
	Speakers    []Sound   `json:"speakers"`
	Skipped     []Skipped `json:"-"` // capture nodes that aren't cameras, or didn't say what they are
}

// String is one line without the hint.
func (s Skipped) String() string {
	if s.Name == "" {
		return fmt.Sprintf("%s: %s", s.Path, s.Why)
	}
	return fmt.Sprintf("%s (%s): %s", s.Path, s.Name, s.Why)
}

// notable tells whether a person who misses a camera wants to hear of this node: codecs, metadata and the like are
// never one.
func (s Skipped) notable() bool {
	switch s.Why {
	case WhySensor, WhyController, WhySilent, WhyForbidden, WhyBusy, WhyFailed, WhyNoFormat:
		return true
	case WhyNoCapture, WhyCodec, WhyISP:
	}
	return false
}

// String is what was chosen and why, on one line.
func (c Choice) String() string {
	switch c.Source {
	case SourceDevice:
		return c.Camera.describe() + ": " + c.Reason
	case SourceTest:
		return "test picture: " + c.Reason
	case SourceNone:
	}
	if c.Away {
		return "placeholder: " + c.Reason
	}
	return "no picture: " + c.Reason
}

// String is what was chosen and why, on one line.
func (c SoundChoice) String() string {
	switch c.Source {
	case SourceDevice:
		return c.Sound.describe() + ": " + c.Reason
	case SourceTest:
		return "test tone: " + c.Reason
	case SourceNone:
	}
	return "no sound: " + c.Reason
}

// WriteTable writes the listing for people. The error is the writer's.
func (l Listing) WriteTable(w io.Writer) error {
	const gap = 2
	t := tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)
	p := &printer{w: t}
	p.section("cameras", len(l.Cameras))
	for _, c := range l.Cameras {
		p.row(c.Name, c.Path, c.connection(), c.summary())
		if c.ID != "" {
			p.line("    id " + c.ID)
		}
	}
	p.section("microphones", len(l.Microphones))
	p.sounds(l.Microphones)
	p.section("speakers", len(l.Speakers))
	p.sounds(l.Speakers)
	if notable := keep(l.Skipped, Skipped.notable); len(notable) > 0 {
		p.section("not usable directly", len(notable))
		for _, s := range notable {
			p.row(s.Name, s.Path, string(s.Why))
		}
	}
	if p.err != nil {
		return fmt.Errorf("write table: %w", p.err)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// summary is the largest size of each format with its highest rate.
func (c Camera) summary() string {
	parts := make([]string, 0, len(c.Formats))
	for _, f := range c.Formats {
		if len(f.Sizes) == 0 {
			parts = append(parts, f.FourCC)
			continue
		}
		s := f.Sizes[0]
		part := fmt.Sprintf("%s %dx%d", f.FourCC, s.Width, s.Height)
		if len(s.Rates) > 0 {
			part += "@" + s.Rates[0].String()
		}
		parts = append(parts, part)
	}
	const most = 4
	if more := len(parts) - most; more > 0 {
		parts = append(parts[:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// printer keeps the first error, so that rows needn't look at it.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, text+"\n")
	}
}

func (p *printer) section(title string, n int) {
	if n == 0 {
		p.line(title + ": none")
		return
	}
	p.line(title + ":")
}

func (p *printer) row(cells ...string) {
	p.line("  " + strings.Join(cells, "\t"))
}

func (p *printer) sounds(list []Sound) {
	for _, s := range list {
		name := s.Name
		if s.DeviceName != "" && s.DeviceName != s.Name {
			name += ", " + s.DeviceName
		}
		p.row(name, s.PCM)
	}
}
