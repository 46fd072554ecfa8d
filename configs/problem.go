package configs

import (
	"fmt"
	"strings"
)

// Layer is a place where a value can be given, later ones winning.
type Layer int

// The layers, in the order of their precedence.
const (
	LayerDefault Layer = iota
	LayerFile
	LayerEnv
	LayerFlag
)

// Source says where a value was given.
type Source struct {
	Layer Layer
	Name  string // the file's path, the variable's name or the flag's name
	Line  int    // in the file, from 1; 0 = not known
}

// String returns "default", "file boardcast.yaml:12", "env BOARDCAST_LISTEN" or
// "flag --listen".
func (s Source) String() string {
	switch s.Layer {
	case LayerFile:
		return "file " + s.place()
	case LayerEnv:
		return "env " + s.Name
	case LayerFlag:
		return "flag --" + s.Name
	default:
		return "default"
	}
}

func (s Source) place() string {
	if s.Line == 0 {
		return s.Name
	}
	return fmt.Sprintf("%s:%d", s.Name, s.Line)
}

// prefix starts an error's text; that of a file is what editors jump to.
func (s Source) prefix() string {
	if s.Layer == LayerFile {
		return s.place()
	}
	return s.String()
}

// Problem is one thing wrong with the settings.
type Problem struct {
	Source  Source
	Key     string // "" when no key is concerned
	Reason  string
	Nearest string // the valid key or value that was probably meant; "" = none is known
	hint    string
}

// suggest takes over what was probably meant by an unknown name.
func (p *Problem) suggest(s Suggestion, write func(k Key, value string) string) {
	p.Nearest = s.As(write)
	if s.Advice != "" {
		p.hint = s.Advice
	}
}

// Error names the source, the key, the reason, and what was probably meant.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Source.prefix())
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": " + p.Reason)
	if p.Nearest != "" {
		b.WriteString("; did you mean " + p.Nearest + "?")
	}
	return b.String()
}

// Hint returns a remedy in one line, or "".
func (p *Problem) Hint() string { return p.hint }

// Problems is everything found wrong with the settings, in the order of file,
// environment and flags.
type Problems []*Problem

// Error lists the problems, one on a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems, so that errors.As finds one and a printer can
// show each.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}
