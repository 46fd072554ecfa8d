// Package access answers "who may?": it keeps the keys by which viewers and owners are let in, and limits how often a wrong one is
// tried.
//
// A key is 128 random bits as text. The two keys of the roles are made at the first start, and are kept as they are, so that their
// links can be shown again. A named key, for a guest, may be for some cameras alone and may end by itself; only its hash is kept.
//
//	keys, err := access.Open("/var/lib/boardcast", log)
//	go keys.Run(ctx)                        // follows what `boardcast key` changes
//	grant, err := keys.Check("", text)      // "" for any name
//	if err == nil && grant.May("front") {
//		// serve it, and end it when grant.Done() is closed
//	}
//
// The package knows nothing of HTTP: where a key stands in a request, and which route asks for which role, is decided in internal/web.
package access

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Role says what the holder of a key may do. A higher role may all that a lower one may. The zero Role may nothing.
type Role int

// The roles, the lower one first.
const (
	Viewer Role = iota + 1 // watches, listens and talks
	Owner                  // changes settings too
)

// Roles are all roles, the lower one first.
func Roles() []Role { return []Role{Viewer, Owner} }

// roleNames are the words for the roles, in the file of the keys and on the command line.
var roleNames = map[Role]string{Viewer: "viewer", Owner: "owner"}

// String returns "viewer", "owner", or "none".
func (r Role) String() string {
	if name, ok := roleNames[r]; ok {
		return name
	}
	return "none"
}

// MarshalText writes what String returns.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads "viewer" or "owner", and nothing else.
func (r *Role) UnmarshalText(text []byte) error {
	for role, name := range roleNames {
		if name == string(text) {
			*r = role
			return nil
		}
	}
	return fmt.Errorf("%.100q is no role; the roles are viewer and owner", text)
}

// What Check answers for a key that lets nobody in. Neither error holds the key.
var (
	ErrUnknown = errors.New("the key is not known")
	ErrExpired = errors.New("the key has expired")
)

// Grant is what a right key allows. The zero Grant allows nothing. A Grant with only a Role, made by the caller, allows all cameras
// and is never ended; it stands for everybody where keys are turned off.
type Grant struct {
	Name    string    // of the key: "viewer", "owner", or the name of a named key
	Role    Role      // what the holder may do
	Cameras []string  // the cameras that the key is for; nil for all
	Expires time.Time // when the key ends; zero for never

	done chan struct{}
}

// May reports whether the grant is for the camera of this name.
func (g Grant) May(camera string) bool {
	return g.Role > 0 && (g.Cameras == nil || slices.Contains(g.Cameras, camera))
}

// Done is closed once the key was changed, was removed or has expired: whoever came with it is to be ended. It is nil, which is
// never closed, for a Grant that no Keys have made.
func (g Grant) Done() <-chan struct{} { return g.done }

// LogValue tells the name of the key, which is no secret.
func (g Grant) LogValue() slog.Value { return slog.StringValue(g.Name) }

// same reports whether two grants allow the same, so that whoever came with one may stay with the other.
func (g Grant) same(h Grant) bool {
	return g.Name == h.Name && g.Role == h.Role && (g.Cameras == nil) == (h.Cameras == nil) && slices.Equal(g.Cameras, h.Cameras) &&
		g.Expires.Equal(h.Expires)
}

// expired reports whether the grant had ended by now.
func (g Grant) expired(now time.Time) bool { return !g.Expires.IsZero() && !now.Before(g.Expires) }
