//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"boardcast/test/namespace"
	"boardcast/test/viewers"
)

// The environment by which this binary knows what it is to do; namespace.Inside tells the rest.
const (
	envAgent = "LAB_AGENT" // set in the guest: where to listen
	envDir   = "LAB_DIR"   // what prepare.sh printed
)

// TestMain is three programs in one. As `go test` starts it, it prepares the kernel and runs itself again in
// namespaces of its own; there it runs the tests, which boot a guest; and in the guest it is the agent. Beside that it is
// the processes of viewers without a browser that the tests start.
func TestMain(m *testing.M) {
	if hosted, err := viewers.Host(); hosted {
		os.Exit(report(err))
	}
	switch {
	case os.Getenv(envAgent) != "":
		os.Exit(report(serveAgent(os.Getenv(envAgent))))
	case !namespace.Inside():
		os.Exit(outside())
	}
	if err := setUpNamespaces(filepath.Join(os.Getenv(envDir), "run")); err != nil {
		os.Exit(report(err))
	}
	code := m.Run()
	if err := shared.end(); err != nil {
		code = report(err)
	}
	figures.print(os.Stdout)
	os.Exit(code)
}

// outside is the part that may use the network: what is missing is fetched and built, then the tests are started.
func outside() int {
	dir := os.Getenv(envDir)
	if dir == "" {
		cmd := exec.CommandContext(context.Background(), "./prepare.sh")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return report(fmt.Errorf("prepare the lab: %w", err))
		}
		dir = strings.TrimSpace(string(out))
	}
	code, err := namespace.Run(envDir + "=" + dir)
	if err != nil {
		return report(err)
	}
	return code
}

// report says what went wrong, if anything did, and returns the exit code.
func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "lab: error:", err)
	return 1
}

// shared is the one guest that all tests use: booting takes longer than most of them.
var shared guest

type guest struct {
	once    sync.Once
	loaded  sync.Once
	machine *Machine
	err     error
}

// boot returns the running guest, started by the first test that asks. It has no devices yet: see load.
func boot(t *testing.T) *Machine {
	t.Helper()
	shared.once.Do(func() {
		shared.machine, shared.err = Boot(context.Background(), os.Getenv(envDir))
		if shared.err == nil {
			figures.add("boot", "%.1f s (%s)", shared.machine.BootTime.Seconds(), shared.machine.Accel)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.machine
}

// end turns the guest off. It is an error if, whatever the tests did, its kernel has complained.
func (g *guest) end() error {
	if g.machine == nil {
		return nil
	}
	defer g.machine.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	log, err := g.machine.Run(ctx, "dmesg")
	if err != nil {
		return fmt.Errorf("read the kernel's log: %w", err)
	}
	if signs := findTrouble(log); len(signs) > 0 {
		return fmt.Errorf("the guest's kernel is in trouble: %s\n%s", strings.Join(signs, "; "), log)
	}
	return nil
}

// run runs a script in the guest and returns what it printed; it fails the test if the script fails.
func run(t *testing.T, m *Machine, limit time.Duration, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := m.Run(ctx, script)
	if err != nil {
		t.Fatalf("in the guest: %v\n%s\n%s", err, script, out)
	}
	return out
}
