// Package test holds what drives the tests from outside, as scripts; its own tests show that deploy.sh, which needs a
// board, says and does the right thing on boards of every kind, and board.sh asks a board the right things. Browsers are in e2e, a real kernel is in lab.
package test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// here are the commands that stand in for this machine's. Each notes how it was called.
var here = map[string]string{
	// What follows the board's name runs as on the board: nothing is found but what the board has.
	"ssh": `echo "ssh $*" | sed -n '1s, sh -c .*, SCRIPT,; 1s,-o ConnectTimeout=10.*ControlPersist=1m,OPTIONS,; 1p' >>"$CALLS"
		if [ -e "$WORK/refuses" ]; then cat "$WORK/refuses" >&2; exit 255; fi
		while [ $# -gt 0 ]; do
			case $1 in -O) exit 0 ;; -G) echo hostname 10.0.0.7; exit ;; -o | -i) shift 2 ;; -*) shift ;; *) break ;; esac
		done
		shift
		PATH=$WORK/board/bin exec sh -c "$*"`,
	"scp":  `echo "scp $*" | sed 's,-o ConnectTimeout=10.*ControlPersist=1m,OPTIONS,' >>"$CALLS"`,
	"make": `echo "make $*" >>"$CALLS"; . "$WORK/making"`,
	"go": `echo "go $*" >>"$CALLS"; echo "at $BOARDCAST_AT facts ${BOARDCAST_AT_FACTS#$WORK}" >>"$CALLS"
		[ -z "$BOARDCAST_AT_KEY" ] || echo "key $BOARDCAST_AT_KEY" >>"$CALLS"
		sh -c "$BOARDCAST_AT_COST" >&2; . "$WORK/going"`,
	"npm": `echo "npm $*" >>"$CALLS"`, "node": ``,
}

// there are the commands of a board that do more than print a file. They must not change PATH: what sudo starts would be
// this machine's.
var there = map[string]string{
	"cat":    `exec REAL "$WORK/board/root$1"`,
	"mktemp": `echo /tmp/boardcast-1`,
	"chmod":  ``, "sleep": ``,
	"rm": `echo "board: rm $*" >>"$CALLS"`,
	"sudo": `echo "board: sudo $1" >>"$CALLS"
		if [ "$1" = -n ]; then shift; [ ! -e "$WORK/board/password" ] || exit 1; fi
		exec "$@"`,
}

// tools are real ones that a board has too.
var tools = []string{"sh", "sed", "tr", "head", "cut", "grep", "true"}

// TestDeploy runs deploy.sh against boards that are described by files: board/say/NAME is what the command NAME prints
// there, board/status/NAME the code it ends with, board/root/... what can be read there. At $LISTENS somebody listens.
func TestDeploy(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/deploy", Setup: setUp})
}

// TestBoardScript runs board.sh against boards described in the same way; the browser is stood in for by a command "go".
func TestBoardScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/board", Setup: setUp})
}

func setUp(env *testscript.Env) error {
	for _, name := range []string{"deploy.sh", "board.sh", "ssh.sh"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := write(env.WorkDir, "test/"+name, string(text)); err != nil {
			return err
		}
	}
	env.Setenv("PATH", filepath.Join(env.WorkDir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { _ = listener.Close() })
	env.Setenv("LISTENS", "http://"+listener.Addr().String()+"/")
	env.Setenv("CALLS", filepath.Join(env.WorkDir, "calls"))
	for name, body := range here {
		if err := command(env.WorkDir, "bin/"+name, body); err != nil {
			return err
		}
	}
	return furnish(env.WorkDir)
}

// furnish makes the board's commands.
func furnish(dir string) error {
	scripts := map[string]string{}
	maps.Copy(scripts, there)
	if _, err := os.Stat(filepath.Join(dir, "board/nosudo")); err == nil {
		delete(scripts, "sudo")
	}
	for _, name := range tools {
		scripts[name] = `exec REAL "$@"`
	}
	said, err := filepath.Glob(filepath.Join(dir, "board/say/*"))
	if err != nil {
		return err
	}
	cat, err := exec.LookPath("cat")
	if err != nil {
		return err
	}
	for _, file := range said {
		name := filepath.Base(file)
		scripts[name] = fmt.Sprintf("echo \"board: %[1]s $*\" >>\"$CALLS\"\n%[2]s \"$WORK/board/say/%[1]s\"\n"+
			"exit $(%[2]s \"$WORK/board/status/%[1]s\" 2>/dev/null || echo 0)", name, cat)
	}
	for name, body := range scripts {
		if strings.Contains(body, "REAL") {
			path, err := exec.LookPath(name)
			if err != nil {
				return err
			}
			body = strings.ReplaceAll(body, "REAL", path)
		}
		if err := command(dir, "board/bin/"+name, body); err != nil {
			return err
		}
	}
	return nil
}

func command(dir, name, body string) error { return write(dir, name, "#!/bin/sh\n"+body+"\n") }

// write makes a file that can be executed, and its folders.
func write(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o755)
}
