package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"boardcast/configs"
	"boardcast/internal/certificate"
	"boardcast/pipeline"
)

// chooser chooses the devices when it is first called, and returns the same
// ever after.
type chooser func() ([]sources, error)

// newChooser returns a chooser for the cameras of the settings.
func newChooser(ctx context.Context, cfg *configs.Config) chooser {
	return sync.OnceValues(func() ([]sources, error) { return chooseSources(ctx, cfg) })
}

// checkWanted finds out before the page's address is printed whether a device
// or an encoder that the settings name is known. Where they name no device none
// is looked for yet: a driver that hangs would hold up the page.
func checkWanted(cfg *configs.Config, choose chooser) error {
	if err := checkEncoders(cfg); err != nil {
		return err
	}
	if !namesDevice(cfg) {
		return nil
	}
	_, err := choose()
	return err
}

// checkStream reports why a stream would not start with these settings.
func checkStream(ctx context.Context, cfg *configs.Config) error {
	if err := checkFiles(ctx, cfg); err != nil {
		return err
	}
	return checkWanted(cfg, newChooser(ctx, cfg))
}

// checkFiles reports which of the files that the settings name cannot be used.
func checkFiles(_ context.Context, cfg *configs.Config) error {
	if files := cfg.Page.TLS; files.Cert != "" {
		if _, err := certificate.Load(files.Cert, files.Key); err != nil {
			return err
		}
	}
	_, err := readAuthority(cfg.Signalling.CA)
	return err
}

// namesDevice reports whether a camera, a microphone or the speaker is one by
// name.
func namesDevice(cfg *configs.Config) bool {
	words := []string{configs.Auto, configs.Test, configs.None}
	named := func(device string) bool { return !slices.Contains(words, device) }
	return named(cfg.Audio.Speaker) || slices.ContainsFunc(cfg.Cameras, func(c configs.Camera) bool {
		return named(c.Camera) || named(c.Microphone)
	})
}

// ownEncoder is the word for the camera's own encoder.
const ownEncoder = "camera"

// checkEncoders refuses the name of an encoder that boardcast does not know,
// and a test picture that is to encode itself.
func checkEncoders(cfg *configs.Config) error {
	for _, c := range cfg.Cameras {
		var reason string
		switch _, known := pipeline.EncoderByID(c.Encoder); {
		case c.Encoder == ownEncoder && (c.Camera == configs.Test || c.Camera == configs.None):
			reason = fmt.Sprintf("%s asks for the camera's own encoder, and camera %s has none", c.Encoder, c.Camera)
		case c.Encoder != configs.Auto && c.Encoder != ownEncoder && !known:
			reason = fmt.Sprintf("%q is no encoder that boardcast knows", c.Encoder)
		default:
			continue
		}
		key, from := keyOf(cfg, c.Name, "encoder")
		return hinted{
			&configs.Problem{Source: from, Key: key, Reason: reason, Nearest: configs.Nearest(c.Encoder, encoderNames())},
			"`boardcast encoders` lists the encoders; auto takes the best that works",
		}
	}
	return nil
}

func encoderNames() []string {
	var names []string
	for _, e := range pipeline.Encoders {
		names = append(names, e.ID)
	}
	return names
}

// keyOf is the key by which a camera got a value of its picture, and where that
// was given.
func keyOf(cfg *configs.Config, camera, key string) (string, configs.Source) {
	own := "cameras." + camera + "." + key
	if from := cfg.Source(own); from != (configs.Source{}) {
		return own, from
	}
	return "video." + key, cfg.Source("video." + key)
}
