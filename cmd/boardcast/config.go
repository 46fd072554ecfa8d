package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"boardcast/configs"
)

const configLong = `Shows every setting in force and where it was given, passwords masked. It takes
the flags of boardcast itself, so that a command line can be checked before it
is used; a mistake anywhere ends it with an error.

As JSON: {"file": the settings file that was read or "", "settings": {KEY:
{"value": true or false, a number, a text or a list of texts, "source":
"default", "file PATH:LINE", "env NAME" or "flag --NAME"}}}. Numbers are pixels,
pictures per second or bits per second.`

// configReply is the JSON of `boardcast config`. Its members stay.
type configReply struct {
	File     string                  `json:"file"`
	Settings map[string]settingReply `json:"settings"`
}

type settingReply struct {
	Value  any    `json:"value"`
	Source string `json:"source"`
}

func newConfig(stdout io.Writer) *cobra.Command {
	var asJSON, defaults bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in force and where they were given",
		Long:  configLong,
		Example: "  boardcast config\n  boardcast config --json --width 1280\n" +
			"  boardcast config --default > boardcast.yaml       a file to start from",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if defaults {
				_, err := stdout.Write(configs.Default())
				return err
			}
			cfg, err := load(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(stdout, newConfigReply(cfg))
			}
			return writeSettings(stdout, cfg.Settings())
		},
	}
	addSettings(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	cmd.Flags().BoolVar(&defaults, "default", false, "print the commented default file instead")
	cmd.MarkFlagsMutuallyExclusive("json", "default")
	return cmd
}

func newConfigReply(cfg *configs.Config) configReply {
	r := configReply{cfg.File(), map[string]settingReply{}}
	for _, s := range cfg.Settings() {
		r.Settings[s.Key] = settingReply{s.Value, s.Source.String()}
	}
	return r
}

func writeSettings(w io.Writer, settings []configs.Setting) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range settings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", s.Key, cmp.Or(s.Text(), `""`), s.Source)
	}
	return table.Flush() // the only one that writes
}
