package pipeline

import (
	"fmt"
	"strconv"
	"strings"
)

// Graph is a chain of elements as a value. It prints in the syntax of gst-launch, and the engine runs that text.
type Graph []Node

// Node is one link of a chain: an element with its properties, or, when Factory is empty, a caps filter.
type Node struct {
	Factory string
	Name    string // empty lets GStreamer name it
	Props   []Prop
	Caps    string
}

// Prop is a property in the textual form that GStreamer parses.
type Prop struct{ Name, Value string }

// Names of the ends that join graphs to fans, and of what is changed while a graph runs; see also EncoderName.
const (
	InName    = "in"    // an appsrc, first of its chain
	OutName   = "out"   // an appsink, last of its chain
	WordsName = "words" // a textoverlay: what a placeholder says
)

// El makes a node from a factory and name=value pairs.
func El(factory string, props ...string) Node {
	n := Node{Factory: factory}
	for _, p := range props {
		name, value, _ := strings.Cut(p, "=")
		n.Props = append(n.Props, Prop{name, value})
	}
	return n
}

// Named returns the node under a name of its own.
func (n Node) Named(name string) Node {
	n.Name = name
	return n
}

// Filter makes a caps filter.
func Filter(format string, args ...any) Node { return Node{Caps: fmt.Sprintf(format, args...)} }

// String prints the chain as gst_parse_launch reads it.
func (g Graph) String() string {
	parts := make([]string, len(g))
	for i, n := range g {
		parts[i] = n.String()
	}
	return strings.Join(parts, " ! ")
}

// String prints one node.
func (n Node) String() string {
	words := n.words()
	for i, w := range words {
		name, value, isProp := strings.Cut(w, "=")
		if n.Factory != "" && isProp {
			words[i] = name + "=" + quote(value)
		} else {
			words[i] = quote(w)
		}
	}
	return strings.Join(words, " ")
}

// words are the node's parts, unquoted.
func (n Node) words() []string {
	if n.Factory == "" {
		return []string{n.Caps}
	}
	words := []string{n.Factory}
	if n.Name != "" {
		words = append(words, "name="+n.Name)
	}
	for _, p := range n.Props {
		words = append(words, p.Name+"="+p.Value)
	}
	return words
}

// quote puts a word in quotes unless it is plain. Within quotes GStreamer's launch syntax knows \" and \\, and no other escapes.
func quote(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n\"'\\!;", r) })
	if plain {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Shell prints the chain as a command for a shell. The command runs by itself: an appsrc that a fan feeds is left out, and a fakesink
// stands in the place of the appsink.
func (g Graph) Shell() string {
	words := []string{"gst-launch-1.0"}
	for i, n := range g.standalone() {
		if i > 0 {
			words = append(words, "!")
		}
		for _, w := range n.words() {
			words = append(words, shellQuote(w))
		}
	}
	return strings.Join(words, " ")
}

// standalone is the chain without the ends that join it to fans.
func (g Graph) standalone() Graph {
	out := Graph{}
	for _, n := range g {
		switch n.Name {
		case InName:
		case OutName:
			out = append(out, El("fakesink", "sync=false"))
		default:
			out = append(out, n)
		}
	}
	return out
}

// shellQuote puts a word in quotes if it has characters that a shell would interpret, such as the parentheses of a memory feature.
func shellQuote(word string) string {
	if strings.ContainsAny(word, " ();&|<>$*?!\"'\\[]{}`~#") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// Subject is the element that names a chain in logs: its encoder, else the one that plays what a fan feeds it, else its first element.
func (g Graph) Subject() string {
	for _, n := range g {
		if n.Name == EncoderName {
			return n.Factory
		}
	}
	switch {
	case len(g) == 0:
		return ""
	case g[0].Name == InName:
		return g[len(g)-1].Factory
	}
	return g[0].Factory
}

// Join makes one chain of two whose ends meet in a fan: a's appsink and b's appsrc fall away.
func Join(a, b Graph) Graph {
	out := make(Graph, 0, len(a)+len(b))
	for _, n := range a {
		if n.Name != OutName {
			out = append(out, n)
		}
	}
	for _, n := range b {
		if n.Name != InName {
			out = append(out, n)
		}
	}
	return out
}

func itoa(n int) string { return strconv.Itoa(n) }
