package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// TestFlagNames holds the names that scripts rely on.
func TestFlagNames(t *testing.T) {
	settings := []string{
		"listen", "tls", "tls-cert", "tls-key", "trusted-proxy", "server", "peer", "id", "room", "remote-offerer", "insecure", "ca",
		"camera", "microphone", "speaker", "codec", "encoder", "width", "height", "host", "open", "framerate", "bitrate",
		"whip", "stun", "turn", "display", "config", "log-level", "log-format",
	}
	tests := []struct {
		args []string
		want []string
	}{
		{nil, append([]string{"dry-run"}, settings...)},
		{[]string{"config"}, append([]string{"json", "default"}, settings...)},
		{[]string{"server"}, []string{"listen", "open", "tls", "tls-cert", "tls-key", "trusted-proxy", "stun", "turn", "log-level", "log-format", "config"}},
		{[]string{"devices"}, []string{"json"}},
		{
			[]string{"doctor"},
			[]string{"json", "listen", "open", "tls", "tls-cert", "tls-key", "camera", "microphone", "stun", "turn", "config"},
		},
		{[]string{"version"}, []string{"json"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.args), func(t *testing.T) {
			cmd, _, err := newRoot(nil, nil).Find(tt.args)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			cmd.Flags().VisitAll(func(f *pflag.Flag) { got = append(got, f.Name) })
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("flags (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryFlagIsExplained(t *testing.T) {
	root := newRoot(nil, nil)
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no help", cmd.Name(), f.Name)
			}
			if of := f.Annotations[groupKey]; of != nil && !slices.Contains(groups, of[0]) {
				t.Errorf("%s --%s is in the group %q, which the help does not show", cmd.Name(), f.Name, of[0])
			}
		})
	}
}

// knowing is an error with a remedy.
type knowing string

func (k knowing) Error() string { return string(k) }
func (k knowing) Hint() string  { return "cure " + string(k) }

func TestPrintError(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("a"), "boardcast: error: a\n"},
		{"with a hint", knowing("a"), "boardcast: error: a\nboardcast: hint: cure a\n"},
		{"deep", fmt.Errorf("open x: %w", fmt.Errorf("y: %w", knowing("a"))), "boardcast: error: open x: y: a\nboardcast: hint: cure a\n"},
		{"at two depths", hinted{fmt.Errorf("x: %w", knowing("a")), "b"}, "boardcast: error: x: a\nboardcast: hint: b\nboardcast: hint: cure a\n"},
		{"the same twice", hinted{knowing("a"), "cure a"}, "boardcast: error: a\nboardcast: hint: cure a\n"},
		{"empty hint", hinted{errors.New("a"), ""}, "boardcast: error: a\n"},
		{
			"joined", fmt.Errorf("all: %w", errors.Join(knowing("a"), errors.New("b"), knowing("c"))),
			"boardcast: error: all: a\nboardcast: error: b\nboardcast: error: c\nboardcast: hint: cure a\nboardcast: hint: cure c\n",
		},
		{"two wrapped", fmt.Errorf("%w, %w", knowing("a"), knowing("b")), "boardcast: error: a, b\nboardcast: hint: cure a\nboardcast: hint: cure b\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			printError(&b, tt.err)
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunExitCodes(t *testing.T) {
	tests := []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0},
		{[]string{"help"}, 0},
		{[]string{"nonsense"}, 1},
		{[]string{"version", "--nonsense"}, 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.args), func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(context.Background(), tt.args, &out, &errs); got != tt.want {
				t.Errorf("run = %d, want %d; stderr: %s", got, tt.want, &errs)
			}
			if (errs.Len() > 0) != (tt.want != 0) || (out.Len() > 0) != (tt.want == 0) {
				t.Errorf("stdout %q, stderr %q", &out, &errs)
			}
		})
	}
}

func TestFailed(t *testing.T) {
	living := t.Context()
	ended, end := context.WithCancel(living)
	end()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want bool
	}{
		{"no error", living, nil, false},
		{"no error at the end", ended, nil, false},
		{"asked to end", ended, fmt.Errorf("serve: %w", context.Canceled), false},
		{"something else was cancelled", living, context.Canceled, true},
		{"an error at the end", ended, errors.New("broken"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := failed(tt.ctx, tt.err); got != tt.want {
				t.Errorf("failed = %t, want %t", got, tt.want)
			}
		})
	}
}

// failing is a writer such as a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	for _, args := range [][]string{
		{"version"},
		{"version", "--json"},
		{"config"},
		{"config", "--json"},
		{"config", "--default"},
		{"devices", "--json"},
		{"devices"},
		{"doctor", "--json"},
		{"doctor"},
	} {
		var errs bytes.Buffer
		if got := run(context.Background(), args, failing{}, &errs); got != 1 {
			t.Errorf("%v: exit code %d, want 1", args, got)
		}
		if !strings.HasPrefix(errs.String(), "boardcast: error: ") || !strings.HasSuffix(errs.String(), "disk full\n") {
			t.Errorf("%v: stderr %q", args, &errs)
		}
	}
}

// The service's unit knows the exit code of settings that cannot be: it would begin again for ever.
func TestWrongSettingsHaveAnExitCode(t *testing.T) {
	for code, args := range map[int][]string{wrongSettings: {"config", "--width", "641"}, 1: {"config", "--no-such-flag"}} {
		if got := run(t.Context(), args, io.Discard, io.Discard); got != code {
			t.Errorf("%v: exit code %d, want %d", args, got, code)
		}
	}
	unit, err := os.ReadFile("../../internal/packaging/files/boardcast.service")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nRestartPreventExitStatus=%d\n", wrongSettings); !strings.Contains(string(unit), want) {
		t.Errorf("the unit lacks %q", want)
	}
}
