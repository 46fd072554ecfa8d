//go:build !nogst

package gst

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// libnice asks the program's own function for random bytes, and not GnuTLS. The dynamic linker says so of a process that makes a call.
func TestRandomIsOurs(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestSenderStaysStopped$")
	cmd.Env = append(os.Environ(), inside+"=", "LD_DEBUG=bindings") // in a network of its own
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make a call: %v\n%.2000s", err, regexp.MustCompile(`(?m)^ *\d+:\t.*\n`).ReplaceAll(out, nil))
	}
	found := regexp.MustCompile(`libnice\S* \[0\] to (\S+) \[0\]: normal symbol .gnutls_rnd'`).FindAllSubmatch(out, -1)
	if !regexp.MustCompile(`binding file \S*libnice\S* \[0\] to `).Match(out) {
		t.Fatal("nothing is said of libnice: this tests nothing")
	}
	for _, to := range found {
		if string(to[1]) != os.Args[0] {
			t.Errorf("libnice asks %s for random bytes", to[1])
		}
	}
}
