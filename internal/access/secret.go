package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// keyBytes is the length of a key in bytes: 128 bits, which nobody guesses.
const keyBytes = 16

// keyLength is how many characters a key has: five bits each.
const keyLength = (keyBytes*8 + 4) / 5

// longestKey is how many bytes of what is said to be a key are looked at. A person may type blanks between the characters.
const longestKey = 4 * keyLength

// letters are the characters of a key, Crockford's: lower case, and none that looks like another.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

// encoding writes a key in letters.
var encoding = base32.NewEncoding(letters).WithPadding(base32.NoPadding)

// lookAlikes makes what a person types into what a key is written in. It leaves out what parts a key into groups.
var lookAlikes = strings.NewReplacer("o", "0", "i", "1", "l", "1", " ", "", "-", "", "\t", "", "\n", "", "\r", "")

// hash is the SHA-256 of a key. A key has 128 random bits, so a slow hash would protect it no better.
type hash [sha256.Size]byte

// newKey makes a key of random bits.
func newKey() string {
	bits := make([]byte, keyBytes)
	_, _ = rand.Read(bits) // it never fails: the program ends instead
	return encoding.EncodeToString(bits)
}

// tidy is a key as we write it, of one as a person typed it. Anything that is no key stays none.
func tidy(text string) string {
	if len(text) > longestKey {
		return ""
	}
	return lookAlikes.Replace(strings.ToLower(text))
}

// errNotKey does not repeat the text: it may be nearly a key.
var errNotKey = fmt.Errorf("is not a key, which is %d of the characters %s", keyLength, letters)

// isKey refuses what newKey cannot have made: a key that a person has made up is a password, and those are guessed.
func isKey(text string) error {
	if _, err := encoding.DecodeString(text); err != nil || len(text) != keyLength {
		return errNotKey
	}
	return nil
}

func hashOf(key string) hash { return sha256.Sum256([]byte(key)) }

var errNotHash = errors.New("is not a SHA-256 hash in hexadecimal")

// MarshalText writes the hash in hexadecimal.
func (h hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads a hash in hexadecimal.
func (h *hash) UnmarshalText(text []byte) error {
	bits, err := hex.DecodeString(string(text))
	if err != nil || len(bits) != len(h) {
		return errNotHash
	}
	copy(h[:], bits)
	return nil
}
