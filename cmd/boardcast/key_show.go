package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/mdp/qrterminal/v3"
	"golang.org/x/term"
	"rsc.io/qr"

	"boardcast/internal/access"
)

// link is the address at which a browser is let in with the key.
func link(address, key string) string { return address + "?" + url.Values{"key": {key}}.Encode() }

// linksTo are the links of a key, one for each address.
func linksTo(addresses []string, key string) []string {
	links := make([]string, 0, len(addresses))
	for _, address := range addresses {
		links = append(links, link(address, key))
	}
	return links
}

// isTerminal reports whether a person sees what is written, in colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// The escape sequences of a terminal that are used.
const (
	colourRed   = "\x1b[1;31m"
	colourCode  = "\x1b[97;40m" // white on black whatever the theme: some readers want a QR code's dark modules dark
	colourEnd   = "\x1b[97m"    // of a code's last line, whose lower half is not the code's
	colourReset = "\x1b[0m"
)

// quiet is how many modules of white are around a QR code, as its standard wants.
const quiet = 4

// writeCode draws the text as a QR code, two modules in each character.
func writeCode(w io.Writer, text string) {
	var drawn strings.Builder
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qr.L, Writer: &drawn, HalfBlocks: true, QuietZone: quiet,
		BlackChar: " ", WhiteBlackChar: "▀", WhiteChar: "█", BlackWhiteChar: "▄",
	})
	for line := range strings.Lines(drawn.String()) {
		line = strings.TrimSuffix(line, "\n")
		colour := colourCode
		if strings.Trim(line, "▀") == "" {
			colour = colourEnd
		}
		fmt.Fprintf(w, "%s%s%s\n", colour, line, colourReset)
	}
}

// red writes a line in red where a person sees it.
func red(w io.Writer, line string) {
	if isTerminal(w) {
		line = colourRed + line + colourReset
	}
	fmt.Fprintln(w, line)
}

// showCommand is what shows the links of the keys: those of the service are for root to see.
func showCommand() string {
	if os.Getenv("STATE_DIRECTORY") != "" {
		return "sudo boardcast key"
	}
	return "boardcast key"
}

// writeAccess tells who is let in, below the addresses. The link is shown once, to the person who starts the program for the first
// time; neither a log nor the scrollback of a later start holds a key.
func writeAccess(stdout io.Writer, address string, keys *access.Keys) {
	switch {
	case keys == nil:
		red(stdout, "  open to everybody: whoever reaches this address may watch, listen and talk (setting open)")
	case !keys.Made():
		fmt.Fprintf(stdout, "  `%s` shows the links with their keys\n", showCommand())
	case isTerminal(stdout):
		writeCode(stdout, link(address, keys.Key(access.Viewer)))
		fmt.Fprintf(stdout, "  this link is for viewers; %s\n", shownAgain(keys))
	case keys.Kept():
		fmt.Fprintf(stdout, "  keys were made, and nobody is let in without one: `%s` shows the links\n", showCommand())
	default:
		fmt.Fprintln(stdout, "  nobody is let in: the keys cannot be kept, and are shown in a terminal alone")
	}
}

func shownAgain(keys *access.Keys) string {
	if !keys.Kept() {
		return "it ends with the program, since its key cannot be kept"
	}
	return "`" + showCommand() + "` shows it again, and the owner's"
}
