package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"boardcast/configs"
	"boardcast/internal/doctor"
	"boardcast/internal/web"
	"boardcast/pipeline/gst"
)

// root is the file system that is looked at. It is this machine's; tests set another.
func root() fs.FS {
	if machine.Root != nil {
		return machine.Root
	}
	return os.DirFS("/")
}

// doctorHost answers the doctor's questions from this machine.
func doctorHost(cfg *configs.Config) doctor.Host {
	h := doctor.Host{
		Root: root(), Open: openNode, Process: doctor.Process{Groups: ownGroups(), Getenv: getenv},
		Camera: cameraFor(cfg), Microphone: microphoneFor(cfg),
		Interfaces: interfaces,
		Port: doctor.Port{
			Claim:   func() error { return claimPort(cfg) },
			Answers: func(ctx context.Context) bool { return boardcastAnswers(ctx, cfg) },
		},
		Certificate: func() doctor.Certificate { return doctorCertificate(cfg) },
		Now:         time.Now,
	}
	if me, err := user.Current(); err == nil {
		h.Process.User = me.Username
	}
	if gstreamerVersion() != "" {
		elements := sync.OnceValue(gst.Machine)
		h.GStreamer = &doctor.GStreamer{
			Installed: func(element string) bool { return elements().Installed(element) },
			Rescan:    rescan,
		}
	}
	return h
}

// openNode opens a device without waiting for it.
func openNode(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func ownGroups() []int {
	list, err := os.Getgroups()
	if err != nil {
		list = nil
	}
	return append(list, os.Getegid())
}

// getenv reads the environment as GLib and GStreamer do: where HOME is missing the user's home folder counts, and a relative
// path starts at the working directory.
func getenv(name string) string {
	value := os.Getenv(name)
	switch name {
	case "HOME":
		if me, err := user.Current(); err == nil && value == "" {
			return me.HomeDir
		}
	case "GST_REGISTRY", "GST_REGISTRY_1_0":
		if abs, err := filepath.Abs(value); err == nil && value != "" {
			return abs
		}
	}
	return value
}

// claimPort claims the port as a stream does, and gives it back.
func claimPort(cfg *configs.Config) error {
	site := web.New(web.Options{Listen: cfg.Page.Listen})
	if _, err := site.Listen(); err != nil {
		return err
	}
	ended, end := context.WithCancel(context.Background())
	end()
	return site.Run(ended)
}

// boardcastAnswers reports whether a boardcast answers at the port: it asks for the page's status, or is asked for a key. Where the settings name
// no single address, this machine's own is asked.
func boardcastAnswers(ctx context.Context, cfg *configs.Config) bool {
	const (
		limit = time.Second
		most  = 1 << 20 // bytes
	)
	scheme := "http"
	if cfg.Page.TLS.On() {
		scheme = "https"
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+cfg.Page.Listen+"/api/status", nil)
	if err != nil {
		return false
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // nothing secret is sent, and only the name of the program is believed
	}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	if slices.Contains(response.Header.Values("WWW-Authenticate"), web.Challenge) {
		return true // it wants a key
	}
	var reply map[string]json.RawMessage
	err = json.NewDecoder(io.LimitReader(response.Body, most)).Decode(&reply)
	return err == nil && reply["version"] != nil && reply["signalling"] != nil
}

// interfaces lists the network interfaces.
func interfaces() ([]doctor.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	const running = net.FlagUp | net.FlagRunning
	var list []doctor.Interface
	for _, i := range all {
		one := doctor.Interface{Name: i.Name, Running: i.Flags&running == running, Loopback: i.Flags&net.FlagLoopback != 0}
		addresses, err := i.Addrs()
		if err != nil {
			continue // gone meanwhile
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				one.Addresses = append(one.Addresses, prefix.Addr().Unmap())
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// builtAt is when the program was made: what Go noted, else its file's date.
func builtAt() time.Time {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return t
			}
		}
	}
	if program, err := os.Executable(); err == nil {
		if info, err := os.Stat(program); err == nil {
			return info.ModTime()
		}
	}
	return time.Time{}
}

// scanCommand is the hidden command of the child that looks at GStreamer's plugins with a registry of its own.
const scanCommand = "list-elements"

func newListElements(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    scanCommand,
		Short:  "List which of these elements GStreamer has; for boardcast's own use",
		Hidden: true,
		RunE: func(_ *cobra.Command, elements []string) error {
			if err := gst.Begin(); err != nil {
				return err
			}
			elements = slices.DeleteFunc(elements, func(e string) bool { return !gst.Machine().Installed(e) })
			_, err := io.WriteString(stdout, strings.Join(append(elements, ""), "\n"))
			return err
		},
	}
}

// rescan lists which of the elements GStreamer finds when it starts with no registry. A child process does that: GStreamer
// reads its registry only once in a process, and a look at all plugins may hang in a driver.
func rescan(ctx context.Context, elements []string) ([]string, error) {
	dir, err := os.MkdirTemp("", "boardcast-doctor-")
	if err != nil {
		return nil, fmt.Errorf("make a place for a registry: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nobody needs it
	ctx, cancel := context.WithTimeout(ctx, rescanLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, ownProgram(), append([]string{scanCommand}, elements...)...)
	cmd.Args[0] = os.Args[0] // a program of several names knows itself by it
	fresh := filepath.Join(dir, "registry.bin")
	cmd.Env = append(os.Environ(), "GST_REGISTRY="+fresh, "GST_REGISTRY_1_0="+fresh, "GST_REGISTRY_UPDATE=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // GStreamer's plugin scanner ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("look at the plugins anew: %w", err)
	}
	return strings.Fields(string(out)), nil
}
