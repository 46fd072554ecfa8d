package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
)

// version is the form of the file. A program refuses the file of a later form, which may say more of who may not.
const version = 1

// mostNamed is how many named keys there may be. Each check compares them all, which takes some 10 µs for as many.
const mostNamed = 256

// mostCameras is how many cameras a key may be for. The settings take no more cameras.
const mostCameras = 16

// nameForm is what a key's name and a camera's look like: it can stand in a URL and before the colon of HTTP Basic.
var nameForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)

// record is the file of the keys. The role keys stand there in plain, since their links are shown again.
type record struct {
	Version int     `json:"version"`
	Viewer  string  `json:"viewer"`
	Owner   string  `json:"owner"`
	Named   []named `json:"named,omitempty"`
}

// named is a named key in the file.
type named struct {
	Name    string    `json:"name"`
	Role    Role      `json:"role"`
	Cameras []string  `json:"cameras,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	Hash    hash      `json:"sha256"`
}

func newRecord() record { return record{Version: version, Viewer: newKey(), Owner: newKey()} }

// plain is where the role's key stands in the record, nil for no role.
func (r *record) plain(role Role) *string {
	switch role {
	case Viewer:
		return &r.Viewer
	case Owner:
		return &r.Owner
	}
	return nil
}

// parseRecord reads the file of the keys. It refuses what it does not know, since that may restrict a key. No error repeats what
// stands in place of a key.
func parseRecord(text []byte) (record, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return record{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return record{}, errors.New("text follows the keys")
	}
	return r, r.check()
}

func (r *record) check() error {
	if r.Version != version {
		return fmt.Errorf("version %d is not known; this program reads version %d", r.Version, version)
	}
	for _, role := range Roles() {
		if err := isKey(*r.plain(role)); err != nil {
			return fmt.Errorf("%s: %w", role, err)
		}
	}
	if len(r.Named) > mostNamed {
		return fmt.Errorf("%d named keys are more than %d", len(r.Named), mostNamed)
	}
	for i, n := range r.Named {
		if err := n.check(); err != nil {
			return fmt.Errorf("named key %d: %w", i+1, err)
		}
		if r.index(n.Name) != i {
			return fmt.Errorf("named key %d: the name %s is taken", i+1, n.Name)
		}
	}
	return r.checkTwice()
}

// checkTwice refuses a key that stands in the record twice: which of the two it allows would be chance.
func (r *record) checkTwice() error {
	seen := map[hash]string{}
	for _, e := range r.entries() {
		if first, twice := seen[e.hash]; twice {
			return fmt.Errorf("%s and %s have the same key", first, e.grant.Name)
		}
		seen[e.hash] = e.grant.Name
	}
	return nil
}

var errNoCameras = errors.New("cameras is an empty list; leave it out for all cameras")

func (n *named) check() error {
	switch {
	case !nameForm.MatchString(n.Name):
		return fmt.Errorf("%.100q is not a name of at most 32 lower-case letters, digits and -", n.Name)
	case isRole(n.Name):
		return fmt.Errorf("%s is the name of a role", n.Name)
	case roleNames[n.Role] == "":
		return errors.New("role is missing")
	case n.Cameras != nil && len(n.Cameras) == 0:
		return errNoCameras
	case len(n.Cameras) > mostCameras:
		return fmt.Errorf("%d cameras are more than %d", len(n.Cameras), mostCameras)
	case n.Hash == hash{}:
		return errors.New("sha256 is missing")
	}
	for _, camera := range n.Cameras {
		if !nameForm.MatchString(camera) {
			return fmt.Errorf("camera %.100q is not a name of at most 32 lower-case letters, digits and -", camera)
		}
	}
	return nil
}

func isRole(name string) bool {
	var r Role
	return r.UnmarshalText([]byte(name)) == nil
}

// index is where the named key of this name stands, -1 for nowhere.
func (r *record) index(name string) int {
	return slices.IndexFunc(r.Named, func(n named) bool { return n.Name == name })
}

// text is the record as it stands in the file.
func (r *record) text() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// entries are all keys of the record, as they are compared.
func (r *record) entries() []entry {
	var all []entry
	for _, role := range Roles() {
		all = append(all, entry{hash: hashOf(*r.plain(role)), grant: Grant{Name: role.String(), Role: role}})
	}
	for _, n := range r.Named {
		all = append(all, entry{hash: n.Hash, grant: Grant{Name: n.Name, Role: n.Role, Cameras: n.Cameras, Expires: n.Expires}})
	}
	for i := range all {
		all[i].grant.done = make(chan struct{})
	}
	return all
}
