package main

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"boardcast/configs"
	"boardcast/internal/access"
	"boardcast/internal/certificate"
)

// serving is what the page is served with, beside what it serves.
type serving struct {
	keys  *access.Keys       // nil: everybody is let in
	shown *certificate.Shown // nil: plain http
}

// newServing opens the keys and the certificate that the settings want.
func newServing(cfg *configs.Config, log *slog.Logger) (serving, error) {
	keys, err := openKeys(cfg, log)
	if err != nil {
		return serving{}, err
	}
	shown, err := pageCertificate(cfg, log)
	return serving{keys, shown}, err
}

// follow has both take up changes until ctx ends.
func (s serving) follow(ctx context.Context, group *errgroup.Group) {
	if s.keys != nil {
		group.Go(func() error { return s.keys.Run(ctx) })
	}
	if s.shown != nil {
		group.Go(func() error { return s.shown.Run(ctx) })
	}
}
