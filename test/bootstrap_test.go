package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// fresh are the commands of a machine on which bootstrap.sh is all that was copied. What apt-get is asked for is noted.
var fresh = map[string]string{
	"bash": `exec REAL "$@"`, "env": `exec REAL "$@"`, "go": ``,
	"id":   `echo 0`,
	"dpkg": `echo amd64`, "apt-cache": ``,
	"apt-get": `echo "apt-get $*" >>"$CALLS"`,
}

// TestBootstrap runs bootstrap.sh on a machine whose commands are those of fresh and what the script's files bin/NAME add.
// The machine says what it is by the file that OS_RELEASE names.
func TestBootstrap(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/bootstrap", Setup: func(env *testscript.Env) error {
		text, err := os.ReadFile("bootstrap.sh")
		if err != nil {
			return err
		}
		if err := write(env.WorkDir, "test/bootstrap.sh", string(text)); err != nil {
			return err
		}
		for name, body := range fresh {
			if strings.Contains(body, "REAL") {
				path, err := exec.LookPath(name)
				if err != nil {
					return err
				}
				body = strings.ReplaceAll(body, "REAL", path)
			}
			if err := command(env.WorkDir, "bin/"+name, body); err != nil {
				return err
			}
		}
		env.Setenv("PATH", filepath.Join(env.WorkDir, "bin"))
		env.Setenv("OS_RELEASE", filepath.Join(env.WorkDir, "debian"))
		env.Setenv("CALLS", filepath.Join(env.WorkDir, "calls"))
		return write(env.WorkDir, "debian", "ID=debian\nPRETTY_NAME='Debian GNU/Linux 12 (bookworm)'\n")
	}})
}
