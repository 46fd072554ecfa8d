//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// allow are flags by which a program lets in the pages that servePages serves: they are of another port, so of another
// origin.
func allow(t *testing.T, pages string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "origins.yaml")
	settings := "signalling: { origins: [" + strings.TrimSuffix(pages, "/testdata/") + "] }\n"
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", path}
}
