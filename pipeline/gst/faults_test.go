//go:build e2e && !nogst

package gst

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// faults are those of browsers and of libraries for which a file of its own is here. A test fails when a file's time is over.
var faults = []struct {
	file  string                                   // and its header and test: what is deleted
	fault string                                   // what is wrong
	seen  string                                   // with what
	until string                                   // when, and how that is found out
	over  func(*testing.T) (over bool, ran string) // whether that time has come, as far as a test can tell, and what ran
}{
	{
		"chromium.c", "Chromium decodes nothing up to the next keyframe after an H.264 keyframe of another size whose first packet came late",
		"Chromium 156",
		"TestFirstPacketOfTheLowerRendition passes 20 times in a row without the call of chromium_first_packet; " +
			"if it does not, raise lookAgain by a year's twelve versions", chromiumIsNew,
	},
	{
		"gnutls.c", "GnuTLS keeps a generator of random numbers for each thread that ever asked for some", "GnuTLS 3.7.9",
		"a thread that has asked for random bytes and has ended leaves less than 100 bytes behind, which this test measures", gnutlsKeepsNothing,
	},
}

func TestFaultsOfOthers(t *testing.T) {
	for _, f := range faults {
		if _, err := os.Stat(f.file); err != nil {
			t.Errorf("%s is gone: delete its row too: %v", f.file, err)
		}
		over, ran := f.over(t)
		t.Logf("%s: seen in %s; here: %s", f.file, f.seen, ran)
		if over {
			t.Errorf("%s may have served its time. The fault: %s. It was seen in %s; here: %s. Delete the file when %s.", f.file, f.fault, f.seen, ran, f.until)
		}
	}
}

// lookAgain is the version of Chromium at which its fault is to be looked at again: a year after the one it was seen in.
const lookAgain = 168

func chromiumIsNew(t *testing.T) (over bool, ran string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, name := range []string{os.Getenv("BOARDCAST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		out, err := exec.CommandContext(ctx, name, "--version").Output()
		if err != nil {
			continue
		}
		found := regexp.MustCompile(`Chrom\S* (\d+)\.`).FindSubmatch(out)
		if found == nil {
			t.Errorf("%s --version says %q: no version of Chromium", name, out)
			return false, name
		}
		major, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Error(err)
		}
		return major >= lookAgain, fmt.Sprint("Chromium ", major)
	}
	return false, "no Chromium" // there the fault does no harm
}

func gnutlsKeepsNothing(t *testing.T) (over bool, ran string) {
	const least = 100 // bytes for each thread; 3.7.9 keeps some 230
	kept, version := gnutlsKeeps()
	if version == "" {
		t.Error("libgnutls.so.30 has no random numbers: is GnuTLS another library now?")
	}
	return kept < least, fmt.Sprintf("GnuTLS %s keeps %d bytes for each thread", version, kept)
}
