//go:build e2e

package namespace

import (
	"fmt"
	"net"
	"os"
	"testing"
)

// TestMain runs the tests inside: with the tag e2e this package is a test binary like those that use it.
func TestMain(m *testing.M) {
	if !Inside() {
		code, err := Run()
		if err != nil {
			panic(err)
		}
		os.Exit(code) //nolint:forbidigo // the main of a test binary
	}
	if err := SetUp(Temporary("namespace")); err != nil {
		panic(fmt.Errorf("set up the namespaces: %w", err))
	}
	m.Run()
}

// TestInsideIsAlone looks at what a test binary must be able to rely on.
func TestInsideIsAlone(t *testing.T) {
	if os.Getpid() != 1 {
		t.Errorf("the process is number %d, want 1: processes of ours would outlive the tests", os.Getpid())
	}
	if self, err := os.Readlink("/proc/self"); err != nil || self != "1" {
		t.Errorf("/proc/self is %q, %v, want a /proc of the namespace's own", self, err)
	}
	interfaces, err := net.Interfaces()
	if err != nil || len(interfaces) != 1 || interfaces[0].Flags&net.FlagUp == 0 {
		t.Errorf("interfaces = %v, %v, want loopback alone, and up", interfaces, err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || os.TempDir() != os.Getenv("TMPDIR") || len(left) > 0 {
		t.Errorf("the folder for temporary files is %s with %v in it, %v, want an empty one of our own", os.TempDir(), left, err)
	}
	if err := IP("link add one type veth peer name two"); err != nil {
		t.Errorf("we may not change our network: %v", err)
	}
}
