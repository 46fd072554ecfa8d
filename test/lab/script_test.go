//go:build lab

package lab

import (
	"os"
	"testing"
	"time"
)

// TestScript runs a bash script of the developer's own in the guest, with all devices there, and shows what it prints:
// LAB_SCRIPT=file test/lab/run -run TestScript.
func TestScript(t *testing.T) {
	path := os.Getenv("LAB_SCRIPT")
	if path == "" {
		t.Skip("LAB_SCRIPT names no script")
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := boot(t)
	load(t, m)
	t.Logf("\n%s", run(t, m, 5*time.Minute, string(script)))
}
