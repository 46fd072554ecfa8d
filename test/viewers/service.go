package viewers

import (
	"os"
	"regexp"
	"testing"
)

// Allocators is how the service sets the allocators, as variables of the environment: what a program takes by the week is
// measured as it runs for weeks. The test runs in a folder two below the root.
func Allocators(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../../internal/packaging/files/boardcast.service")
	if err != nil {
		t.Fatalf("read the service: %v", err)
	}
	out := regexp.MustCompile(`(G_SLICE|GLIBC_TUNABLES)=\S+`).FindAllString(string(text), -1)
	if len(out) != 2 {
		t.Fatalf("the service sets %q", out)
	}
	return out
}
