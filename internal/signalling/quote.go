package signalling

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quote writes s as Python's repr does: in single quotes, or in double quotes when s holds a single quote and no double one. The
// reference server's ERROR texts hold ids in that form, and clients compare with those texts.
func quote(s string) string {
	mark := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = '"'
	}
	var b strings.Builder
	b.WriteByte(mark)
	for _, r := range s {
		switch {
		case r == rune(mark) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(mark)
	return b.String()
}

// quoteID quotes an id for an ERROR text. A text longer than any id is cut, so that a large request does not get a large answer.
func quoteID(id string, limit int) string {
	if len(id) <= limit {
		return quote(id)
	}
	return quote(cutText(id, limit)) + "..."
}

// cutText cuts text to at most limit bytes, between two characters.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
