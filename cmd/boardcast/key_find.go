package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"boardcast/configs"
	"boardcast/internal/access"
	"boardcast/internal/web"
)

// keySettings are what the links depend on.
var keySettings = []string{"listen", "tls.mode", "tls.cert", "tls.key"}

// serviceSettings is where the service looks for its settings, but for tests.
var serviceSettings = "/etc/boardcast"

// keyring is whose keys a command shows or changes, and where their page is.
type keyring struct {
	keys      *access.Keys
	whose     string
	addresses []string // of the page, each with a slash behind
	cameras   []string // that have names
	// fingerprint is that of the board's own certificate; "" where another is shown, or none.
	fingerprint string
}

// place is where the keys of somebody are.
type place struct{ dir, whose, settings string }

// hasKeys reports whether keys were made there, as far as this user may know.
func (p place) hasKeys() bool {
	_, err := os.Stat(filepath.Join(p.dir, access.FileName))
	return err == nil
}

var errServicesKeys = errors.New("the keys of the service may be read by root alone")

// findKeys says whose keys are meant: those of a directory that is named, of the service, or of the user.
func findKeys(getenv func(string) string, stderr io.Writer) (place, error) {
	dir, err := stateDir(getenv)
	if err != nil {
		return place{}, err
	}
	user := place{dir: dir, whose: "your keys"}
	if getenv("STATE_DIRECTORY") != "" {
		return user, nil
	}
	service := place{dir: serviceState, whose: "the keys of the service", settings: serviceSettings}
	switch _, err := os.ReadDir(serviceState); {
	case errors.Is(err, fs.ErrNotExist):
		if getenv("SUDO_USER") != "" {
			fmt.Fprintln(stderr, "boardcast: hint: there is no service here, and these are root's own keys: `boardcast key` without sudo shows yours")
		}
		return user, nil
	case err != nil && user.hasKeys():
		fmt.Fprintln(stderr, "boardcast: hint: these are not the keys of the service: `sudo boardcast key` shows those")
		return user, nil
	case err != nil:
		return place{}, hinted{fmt.Errorf("%w: %w", errServicesKeys, err), "`sudo boardcast key` shows them"}
	}
	if !service.hasKeys() && user.hasKeys() {
		return user, nil // the service has never run
	}
	return service, nil
}

// openKeyring opens the keys that a command is about.
func openKeyring(cmd *cobra.Command, stderr io.Writer) (keyring, error) {
	at, err := findKeys(os.Getenv, stderr)
	if err != nil {
		return keyring{}, err
	}
	dirs := searchDirs
	if at.settings != "" {
		dirs = []string{at.settings}
	}
	cfg, err := loadFrom(cmd, dirs)
	if err != nil {
		return keyring{}, err
	}
	addresses, err := addressesOf(cfg)
	if err != nil {
		return keyring{}, err
	}
	keys, err := access.Open(at.dir, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return keyring{}, keysError{fmt.Errorf("open %s: %w", at.whose, err)}
	}
	if cfg.Page.Open {
		fmt.Fprintf(stderr, "boardcast: hint: no key is asked for, since open is set (%s)\n", cfg.Source("open"))
	}
	return keyring{
		keys: keys, whose: at.whose, addresses: addresses, cameras: namesOf(newStreams(cmd.Context(), cfg)),
		fingerprint: keptFingerprint(cfg, at.dir),
	}, nil
}

// addressesOf are the addresses at which the page is to be found with these settings, whether it is served now or not.
func addressesOf(cfg *configs.Config) ([]string, error) {
	at, err := net.ResolveTCPAddr("tcp", cfg.Page.Listen)
	if err != nil {
		return nil, fmt.Errorf("look up listen %s: %w", cfg.Page.Listen, err)
	}
	scheme := "http"
	if cfg.Page.TLS.On() {
		scheme = "https"
	}
	if at.IP == nil {
		at.IP = net.IPv6zero
	}
	var all []string
	for _, a := range web.Addresses(at) {
		text := a.String()
		if a.Port() == 0 { // the system chooses one at each start
			text = strings.TrimSuffix(text, "0") + "PORT"
		}
		all = append(all, scheme+"://"+text+"/")
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("listen %s stands for no address", cfg.Page.Listen)
	}
	return all, nil
}
