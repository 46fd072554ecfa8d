package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"boardcast/configs"
	"boardcast/internal/access"
)

// serviceState is the state directory of the service, as its unit names it, but for tests.
var serviceState = "/var/lib/boardcast"

var errNoState = errors.New("neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME names a directory")

// stateDir is where this program keeps what outlives it: the directory that the service manager names, else the user's.
func stateDir(getenv func(string) string) (string, error) {
	if managers, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); managers != "" {
		return managers, nil
	}
	base := getenv("XDG_STATE_HOME")
	if home := getenv("HOME"); !filepath.IsAbs(base) && home != "" { // the standard wants one that is not absolute left aside
		base = filepath.Join(home, ".local", "state")
	}
	if !filepath.IsAbs(base) {
		return "", errNoState
	}
	return filepath.Join(base, "boardcast"), nil
}

// openKeys opens the keys that let viewers and owners in. It returns nil where the settings let everybody in. Where no key can be
// kept, the keys are for this run alone: the page stays closed either way.
func openKeys(cfg *configs.Config, log *slog.Logger) (*access.Keys, error) {
	if cfg.Page.Open {
		return nil, nil
	}
	dir, err := stateDir(os.Getenv)
	if err == nil {
		var keys *access.Keys
		if keys, err = access.Open(dir, log.With("component", "access")); err == nil {
			return keys, nil
		}
	}
	if !errors.Is(err, access.ErrUnwritable) && !errors.Is(err, errNoState) {
		return nil, keysError{fmt.Errorf("open the keys: %w", err)}
	}
	log.Warn("the keys are for this run alone: they cannot be kept", "error", err,
		"hint", "make "+cmp.Or(dir, "the directory that HOME names")+" a directory that the program may write")
	return access.OpenTemporary(), nil
}

// keysError is an error that somebody has to mend before a start can succeed, as with wrong settings.
type keysError struct{ error }

func (e keysError) Unwrap() error { return e.error }
