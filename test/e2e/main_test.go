//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// browsers are shared by all tests: a launch costs seconds.
var browsers *Browsers

// TestMain panics where there is no network to run in: nothing may run outside of one, and a return would be a success.
func TestMain(m *testing.M) {
	n, err := Enter()
	if err != nil {
		panic(fmt.Errorf("enter the network namespaces: %w", err))
	}
	defer n.Close()
	browsers = NewBrowsers(n)
	defer browsers.Close()
	m.Run()
}
