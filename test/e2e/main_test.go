//go:build e2e

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"boardcast/test/namespace"
	"boardcast/test/viewers"
)

// browsers are shared by all tests: a launch costs seconds.
var browsers *Browsers

// TestMain panics where there is no network to run in: nothing may run outside of one, and a return would be a success.
// Only TestBoard may, whose program runs elsewhere.
func TestMain(m *testing.M) {
	if hosted, err := viewers.Host(); hosted {
		if err != nil {
			panic(fmt.Errorf("host viewers: %w", err))
		}
		return
	}
	if os.Getenv(atEnv) == "" && !namespace.Inside() {
		code, err := namespace.Run()
		if err != nil {
			panic(err)
		}
		os.Exit(code)
	}
	n, err := enterOrOnlyBoard()
	if err != nil {
		panic(fmt.Errorf("enter the network namespaces: %w", err))
	}
	if n != nil {
		defer n.Close()
	}
	browsers = NewBrowsers(n)
	defer browsers.Close()
	m.Run()
}

func enterOrOnlyBoard() (*Network, error) {
	if os.Getenv(atEnv) == "" {
		return Enter()
	}
	flag.Parse()
	return nil, errors.Join(flag.Set("test.run", "^TestBoard$"), flag.Set("test.bench", ""))
}
