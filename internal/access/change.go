package access

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNotKept tells that keys for one run alone cannot be changed.
var ErrNotKept = errors.New("these keys are for this run alone")

// Renew makes new keys for the roles. Whoever came with an old one is ended.
func (k *Keys) Renew(roles ...Role) error {
	return k.change(func(r *record) error {
		for _, role := range roles {
			if plain := r.plain(role); plain != nil {
				*plain = newKey()
			}
		}
		return nil
	})
}

// Add makes a named key that allows what the grant says, and returns it. It cannot be shown again.
func (k *Keys) Add(g Grant) (key string, err error) {
	key = newKey()
	err = k.change(func(r *record) error {
		if r.index(g.Name) >= 0 {
			return fmt.Errorf("there is a key %s already", g.Name)
		}
		n := named{Name: g.Name, Role: g.Role, Cameras: g.Cameras, Expires: g.Expires, Hash: hashOf(key)}
		if wrong := n.check(); wrong != nil {
			return wrong
		}
		r.Named = append(r.Named, n)
		return r.check()
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// Remove takes away a named key. Whoever came with it is ended. The error wraps [ErrUnknown] where there is no such key.
func (k *Keys) Remove(name string) error {
	return k.change(func(r *record) error {
		at := r.index(name)
		if at < 0 {
			return fmt.Errorf("remove %.100q: %w", name, ErrUnknown)
		}
		r.Named = slices.Delete(r.Named, at, at+1)
		return nil
	})
}

// change applies a change to the file as it is now, which another program may have changed since.
func (k *Keys) change(apply func(*record) error) error {
	if !k.kept {
		return ErrNotKept
	}
	unlock, err := k.folder.lock()
	if err != nil {
		return fmt.Errorf("change the keys: %w", err)
	}
	defer unlock()
	from, err := k.folder.read()
	if err != nil {
		return err
	}
	if err := apply(&from.record); err != nil {
		return err
	}
	if err := k.folder.write(from.record); err != nil {
		return err
	}
	k.take(from.record, k.folder.stat())
	return nil
}
