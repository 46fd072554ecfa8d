package namespace

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExplained(t *testing.T) {
	for _, test := range []struct {
		name    string
		err     error
		refused bool
	}{
		{"user namespaces are for root only", &os.PathError{Op: "fork/exec", Path: "/proc/self/exe", Err: syscall.EPERM}, true},
		{"AppArmor takes the rights away", fmt.Errorf("mount: %w", syscall.EACCES), true},
		{"no namespaces are left", fmt.Errorf("clone: %w", syscall.ENOSPC), true},
		{"the program is gone", fmt.Errorf("clone: %w", syscall.ENOENT), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			said := explained(test.err).Error()
			if !strings.HasPrefix(said, test.err.Error()) || strings.Contains(said, "unprivileged_userns_clone") != test.refused {
				t.Errorf("said %q, want a hint: %v", said, test.refused)
			}
		})
	}
}

// TestAttributes holds the difference between root and another user to the user namespace.
func TestAttributes(t *testing.T) {
	for user, mapped := range map[int]bool{0: false, 1000: true} {
		got := attributes(user)
		if got.Cloneflags&syscall.CLONE_NEWUSER != 0 != mapped || len(got.UidMappings) > 0 != mapped || len(got.GidMappings) > 0 != mapped {
			t.Errorf("attributes(%d) = %+v, want a user namespace: %v", user, got, mapped)
		}
		const always = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
		if got.Cloneflags&always != always || got.Pdeathsig != syscall.SIGKILL {
			t.Errorf("attributes(%d) = %+v, want a network, mounts and process numbers, and an end with ours", user, got)
		}
	}
}

func TestIPStopsAtTheFirstError(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := IP("link set lo up", "link set other up"); err == nil || !strings.HasPrefix(err.Error(), "ip link set lo up: ") {
		t.Errorf("err = %v, want it to name the first line", err)
	}
}
