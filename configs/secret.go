package configs

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password or a token. However it is printed, logged or marshalled,
// it shows as ***; only Full tells it. The zero Secret means none.
type Secret struct{ full string }

// Full returns the secret itself. It must not be logged.
func (s Secret) Full() string { return s.full }

// IsZero reports whether no secret was given.
func (s Secret) IsZero() bool { return s.full == "" }

// Equal reports whether both are the same secret.
func (s Secret) Equal(t Secret) bool { return s == t }

// String returns "***", or "" for none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return masked
}

// Format writes what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns, for JSON among others.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// parseSecret takes what can stand in a header as it is: visible ASCII. It
// never repeats text in a fault.
func parseSecret(_ Key, text string) (any, *fault) {
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return nil, &fault{reason: "holds a blank or a character that is not plain ASCII"}
		}
	}
	if len(text) > longestName {
		return nil, &fault{reason: fmt.Sprintf("is longer than %d bytes", longestName)}
	}
	return Secret{text}, nil
}
