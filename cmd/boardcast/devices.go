package main

import (
	"io"

	"github.com/spf13/cobra"

	"boardcast/device"
)

const devicesLong = `Lists the cameras, microphones and speakers that are plugged in. Their names,
ids and paths are what --camera, --microphone and --speaker take.

As JSON: {"cameras": [...], "microphones": [...], "speakers": [...]}.`

// machine says where devices are looked for. The zero value is this machine; tests set another.
var machine device.Options

func newDevices(stdout io.Writer) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "devices",
		Short:   "List cameras, microphones and speakers",
		Long:    devicesLong,
		Example: "  boardcast devices\n  boardcast devices --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list := device.List(cmd.Context(), machine)
			if asJSON {
				return writeJSON(stdout, list)
			}
			return list.WriteTable(stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	return cmd
}
