package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"boardcast/pipeline/gst"
)

// version and commit are set by the linker (-X main.version=v1.2.3); empty,
// what Go noted in the binary stands in.
var version, commit string

// gstreamerVersion is "" in a binary built without GStreamer.
var gstreamerVersion = gst.Version

// versionReply is the JSON of `boardcast version`. Its members stay.
type versionReply struct {
	Version   string `json:"version"`   // "dev" for a build from a working tree
	Commit    string `json:"commit"`    // "" when not known
	Go        string `json:"go"`        // of the compiler
	GStreamer string `json:"gstreamer"` // of the library at run time
}

// buildVersion returns the program's version, "dev" when it has none.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func buildCommit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified
}

func newVersion(stdout io.Writer) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show the version of boardcast and what it is built on",
		Long:    "Shows the version. As JSON: {\"version\", \"commit\", \"go\", \"gstreamer\"}, each a string.",
		Example: "  boardcast version\n  boardcast version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			r := versionReply{buildVersion(), buildCommit(), runtime.Version(), gstreamerVersion()}
			if asJSON {
				return writeJSON(stdout, r)
			}
			return r.write(stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	return cmd
}

func (r versionReply) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "boardcast %s\ncommit     %s\ngo         %s\ngstreamer  %s\n",
		r.Version, cmp.Or(r.Commit, "not known"), r.Go, cmp.Or(r.GStreamer, "none (built without)"))
	return err
}

// writeJSON writes v as one indented object.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
