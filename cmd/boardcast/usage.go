package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"boardcast/configs"
)

// groups are the headings of the flags, in their order.
var groups = []string{
	configs.GroupPage, configs.GroupPicture, configs.GroupSound,
	configs.GroupSignalling, configs.GroupWHIP, configs.GroupNetwork, configs.GroupGeneral,
}

// usage writes how a command is used; cobra writes the command's text above.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s [command]\n\nCommands:\n", cmd.CommandPath())
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", c.Name(), c.Short)
			}
		}
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	for _, group := range groups {
		writeFlags(&b, cmd.LocalFlags(), group)
	}
	_, err := cmd.OutOrStderr().Write([]byte(b.String()))
	return err
}

// writeFlags writes the flags of one group; those without belong to General.
func writeFlags(b *strings.Builder, all *pflag.FlagSet, group string) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	all.VisitAll(func(f *pflag.Flag) {
		if of := f.Annotations[groupKey]; of == nil && group == configs.GroupGeneral || of != nil && of[0] == group {
			set.AddFlag(f)
		}
	})
	if text := set.FlagUsages(); text != "" {
		fmt.Fprintf(b, "\n%s:\n%s", group, text)
	}
}
