package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"boardcast/configs"
)

// flagError adds to the complaint about an unknown flag what was probably
// meant. Nothing is added where that is not known.
func flagError(cmd *cobra.Command, err error) error {
	list := fmt.Sprintf("`%s --help` lists the flags", cmd.CommandPath())
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return hinted{err, list}
	}
	name := unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); len(short) > 1 {
		if cmd.Flags().Lookup(short) != nil {
			return hinted{err, fmt.Sprintf("did you mean --%s, with two dashes? %s", short, list)}
		}
		name = short
	}
	meant, advice := meantFlag(cmd, name)
	if meant == "" {
		return hinted{hinted{err, list}, advice}
	}
	return hinted{hinted{err, advice}, meant + " " + list}
}

// meantFlag words which flag was probably meant by an unknown one, and what
// there is to do for what has no setting. Both may be "".
func meantFlag(cmd *cobra.Command, name string) (meant, advice string) {
	s := configs.Suggest(name)
	owns := func(k configs.Key) bool { return k.Flag != "" && cmd.Flags().Lookup(k.Flag) != nil }
	hasFlag := func(k configs.Key) bool { return k.Flag != "" }
	near := configs.Nearest(name, flagNames(cmd))
	switch {
	case len(s.Keys) > 0 && !slices.ContainsFunc(s.Keys, func(k configs.Key) bool { return !owns(k) }):
		return fmt.Sprintf("did you mean %s?", s.As(asFlag)), s.Advice
	case near != "":
		return fmt.Sprintf("did you mean --%s?", near), ""
	case slices.ContainsFunc(s.Keys, hasFlag) && cmd.HasParent():
		return fmt.Sprintf("`%s` takes %s, `%s` does not;", cmd.Root().Name(), s.As(asFlag), cmd.CommandPath()), ""
	case len(s.Keys) > 0 && !cmd.HasParent():
		return fmt.Sprintf("did you mean the setting %s? It has no flag: set it in the file, or as %s;", s.Keys[0].Name, s.Keys[0].Env()), s.Advice
	}
	return "", s.Advice
}

// asFlag writes a key as a flag.
func asFlag(k configs.Key, value string) string {
	return strings.TrimSpace("--" + k.Flag + " " + value)
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// noArgs refuses words that are no command, and says which was probably meant.
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
	hint := fmt.Sprintf("`%s --help` lists the commands", cmd.CommandPath())
	if meant := meantCommand(cmd, args[0]); meant != "" {
		hint = meant + " " + hint
	}
	return hinted{fmt.Errorf("unknown command %q", args[0]), hint}
}

// commandMeanings are words that people use as commands, with what there is in
// their place.
var commandMeanings = []struct {
	words  []string
	answer string
}{
	{[]string{"start", "run", "stream", "serve", "play", "live", "go"}, "`boardcast` without a command streams;"},
	{[]string{"stop", "quit", "kill", "exit"}, "Ctrl-C ends it, and `systemctl stop boardcast` the service;"},
	{[]string{"restart", "reload"}, "`systemctl reload boardcast` takes up changed settings;"},
	{[]string{"status", "state", "info"}, "`systemctl status boardcast` shows the service, and the page's /api/status more;"},
	{[]string{"log", "logs", "journal"}, "the log of the service: `journalctl -u boardcast`;"},
	{[]string{"list", "ls", "camera", "cameras", "webcams", "microphones", "list-devices"}, "did you mean `boardcast devices`?"},
	{[]string{"check", "diagnose", "diag", "health", "fix", "debug"}, "did you mean `boardcast doctor`?"},
	{[]string{"keys", "link", "links", "qr", "qrcode", "password", "passwd", "login", "token", "share", "invite", "user", "users"}, "did you mean `boardcast key`?"},
	{[]string{"settings", "configure", "configuration", "options", "show"}, "did you mean `boardcast config`?"},
	{[]string{"codecs", "codec", "benchmark"}, "did you mean `boardcast encoders`?"},
	{[]string{"signalling", "signaling", "hub"}, "did you mean `boardcast server`?"},
	{[]string{"install", "enable", "service", "daemon"}, "docs/INSTALL.md says how boardcast becomes a service;"},
}

// meantCommand words what was probably meant by an unknown command, "" where
// that is not known.
func meantCommand(cmd *cobra.Command, word string) string {
	if strings.HasPrefix(word, "/dev/") {
		return fmt.Sprintf("did you mean `%s --camera %s`?", cmd.CommandPath(), word)
	}
	for _, m := range commandMeanings {
		if !cmd.HasParent() && slices.Contains(m.words, strings.ToLower(word)) {
			return m.answer
		}
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := configs.Nearest(word, names); near != "" {
		return fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near)
	}
	return ""
}
