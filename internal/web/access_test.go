package web

import (
	"boardcast/internal/access"
)

// The keys of the fake ring.
const (
	viewerKey  = "viewer-key"
	ownerKey   = "owner-key"
	frontKey   = "front-key"   // a viewer's, for the camera front
	expiredOne = "expired-key" // it was right once
)

// keyRing is a fake of the keys: what each allows.
type keyRing map[string]access.Grant

// Check implements Access.Keys.
func (k keyRing) Check(name, key string) (access.Grant, error) {
	grant, known := k[key]
	switch {
	case !known, name != "" && name != grant.Name:
		return access.Grant{}, access.ErrUnknown
	case key == expiredOne:
		return access.Grant{}, access.ErrExpired
	}
	return grant, nil
}

var ring = keyRing{
	viewerKey:  {Name: "viewer", Role: access.Viewer},
	ownerKey:   {Name: "owner", Role: access.Owner},
	frontKey:   {Name: "kitchen", Role: access.Viewer, Cameras: []string{"front"}},
	expiredOne: {Name: "old", Role: access.Owner},
}
