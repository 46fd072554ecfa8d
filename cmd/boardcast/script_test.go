package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary stand in for the program: under the name
// boardcast, the same with no devices as bare, as hang a program that does not
// stop when it is asked to, and as reloads one that only reloads. This machine's own settings are left aside.
func TestMain(m *testing.M) {
	searchDirs, serviceSettings, serviceState = []string{"."}, "service-settings", "service-state"
	commands := map[string]func(){
		"boardcast": main,
		"bare": func() {
			machine.Root = fstest.MapFS{}
			main()
		},
		"hang": func() {
			ctx, _ := onSignals(context.Background(), os.Stderr, os.Exit)
			fmt.Fprintln(os.Stdout, "ready")
			<-ctx.Done()
			fmt.Fprintln(os.Stdout, "asked to stop")
			select {}
		},
		"reloads": func() {
			ctx, stop := onSignals(context.Background(), os.Stderr, os.Exit)
			log := slog.New(slog.NewTextHandler(os.Stdout, nil))
			ctx, _ = onReload(ctx, log, func() error { return nil })
			fmt.Fprintln(os.Stdout, "begun")
			logReloadDone(log)
			<-ctx.Done()
			stop()
			if reloadAsked(ctx) != nil {
				startOver(os.Stderr)
			}
		},
	}
	if commands[filepath.Base(os.Args[0])] == nil { // not one of them, but the tests
		for _, line := range os.Environ() {
			if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "BOARDCAST_") {
				_ = os.Unsetenv(name)
			}
		}
		_ = os.Setenv("BOARDCAST_OPEN", "true") // what is tested within the tests' own process makes no keys for who runs them
	}
	testscript.Main(m, commands)
}

// TestScripts runs the program as a person does. Beside testscript's own
// commands there are
//
//	json FILE MEMBER...     FILE is one JSON object with just these members
//	cmpjson FILE PATH WANT  what stands at PATH in FILE is the JSON value WANT
//	changed A B ROLE...     of the keys in A and B, two answers of key --json, those of just these roles differ
//
// and the condition [gstreamer], false in a build without it: such a script then says what that build answers instead.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Condition: func(name string) (bool, error) {
			if name != "gstreamer" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return gstreamerVersion() != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"changed": func(ts *testscript.TestScript, _ bool, args []string) {
				if diff := cmp.Diff(args[2:], changedKeys(ts, args[0], args[1])); diff != "" {
					ts.Fatalf("roles whose keys changed (-want +got):\n%s", diff)
				}
			},
			"json": func(ts *testscript.TestScript, _ bool, args []string) {
				var got []string
				for name := range object(ts, args[0]) {
					got = append(got, name)
				}
				want := slices.Clone(args[1:])
				slices.Sort(got)
				slices.Sort(want)
				if diff := cmp.Diff(want, got); diff != "" {
					ts.Fatalf("members (-want +got):\n%s", diff)
				}
			},
			"cmpjson": func(ts *testscript.TestScript, _ bool, args []string) {
				var want any
				ts.Check(json.Unmarshal([]byte(args[2]), &want))
				if diff := cmp.Diff(want, at(object(ts, args[0]), args[1])); diff != "" {
					ts.Fatalf("%s (-want +got):\n%s", args[1], diff)
				}
			},
		},
	})
}

func object(ts *testscript.TestScript, file string) map[string]any {
	var got map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &got))
	return got
}

// at looks for a member, or for one in a member: keys have dots themselves.
func at(in map[string]any, path string) any {
	if v, ok := in[path]; ok {
		return v
	}
	first, rest, _ := strings.Cut(path, ".")
	if inner, ok := in[first].(map[string]any); ok {
		return at(inner, rest)
	}
	return nil
}

// changedKeys are the roles whose keys differ between two answers of `boardcast key --json`.
func changedKeys(ts *testscript.TestScript, before, after string) []string {
	var replies [2]keyReply
	for i, file := range []string{before, after} {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &replies[i]))
	}
	var changed []string
	for i, one := range replies[0].Keys {
		if one.Key != replies[1].Keys[i].Key {
			changed = append(changed, one.Role.String())
		}
	}
	return changed
}
