package main

import (
	"errors"
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

// flagError adds the nearest flag to the complaint about one that is unknown.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return hinted{err, hint}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if nearest := configs.Nearest(unknown.GetSpecifiedName(), names); nearest != "" {
		hint = fmt.Sprintf("did you mean --%s? %s", nearest, hint)
	}
	return hinted{err, hint}
}

// noArgs refuses words that are no command, and names the nearest one.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return hinted{
			fmt.Errorf("%s takes no %q", cmd.CommandPath(), args[0]),
			fmt.Sprintf("`%s --help` shows what it takes", cmd.CommandPath()),
		}
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return hinted{
		fmt.Errorf("unknown command %q", args[0]),
		fmt.Sprintf("did you mean `boardcast %s`? `boardcast --help` lists the commands", configs.Nearest(args[0], names)),
	}
}
