package main

import (
	"net/http"

	"boardcast/configs"
	"boardcast/internal/access"
	"boardcast/internal/signalling"
	"boardcast/internal/web"
)

// whoMay joins the keys, the settings and the signalling's check of a page's origin. keys is nil where everybody may.
func whoMay(cfg *configs.Config, keys *access.Keys, hub *signalling.Server) web.Access {
	may := web.Access{Open: cfg.Page.Open, Pages: hub.Allowed, Embed: cfg.Page.Embed}
	if keys != nil {
		may.Keys = keys
	}
	return may
}

// rightsOf are the rights of a WebSocket's peer: those of the key with which its handshake came.
func rightsOf(r *http.Request) signalling.Rights {
	grant := web.GrantOf(r.Context())
	return signalling.Rights{May: grant.May, Done: grant.Done()}
}

// endWith ends a viewer once the key by which it came is no longer right. It returns when the viewer is gone.
func endWith(key <-chan struct{}, v interface {
	Close()
	Done() <-chan struct{}
},
) {
	select {
	case <-key:
		v.Close()
	case <-v.Done():
	}
}
