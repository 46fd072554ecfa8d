//go:build !nogst

package gst

import (
	"fmt"
	"os"
	"testing"

	"boardcast/test/namespace"
)

// inside is what a child must not inherit that is to have a network of its own.
const inside = namespace.Env

// TestMain runs the tests in a network namespace of their own: libnice gathers nothing on a machine whose only interface
// is lo, and no packet leaves.
func TestMain(m *testing.M) {
	if !namespace.Inside() {
		code, err := namespace.Run()
		if err != nil {
			fmt.Fprintln(os.Stderr, "gst tests:", err)
			os.Exit(1)
		}
		os.Exit(code)
	}
	if err := network(); err != nil {
		fmt.Fprintln(os.Stderr, "gst tests:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func network() error {
	if err := namespace.SetUp(namespace.Temporary("gst")); err != nil {
		return err
	}
	return namespace.IP(
		"link add bc0 type veth peer name bc1",
		"addr add 10.79.0.1/24 dev bc0",
		"link set bc0 up",
		"link set bc1 up",
	)
}
