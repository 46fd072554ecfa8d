package main

import (
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"boardcast/configs"
)

// groupKey marks a flag with the heading that it stands under in the help.
const groupKey = "group"

// setting is the value of a flag that stands for a key of the configuration.
// It takes any text: package configs judges it, together with what stands in
// the file and the environment.
type setting struct {
	key   configs.Key
	text  string
	given bool
	named []string // NAME=CAMERA, each time that --camera was given
}

// String returns what was given, else the default.
func (s *setting) String() string {
	if s.given {
		return s.text
	}
	return s.key.Default()
}

// Set takes the text; that of a list is appended.
func (s *setting) Set(text string) error {
	if _, _, named := configs.CutCamera(text); named && s.key.Name == "video.camera" {
		s.named = append(s.named, text)
		return nil
	}
	if s.key.List && s.given {
		text = s.text + "," + text
	}
	s.text, s.given = text, true
	return nil
}

// Type is what stands for the value in the help.
func (s *setting) Type() string {
	if s.key.Kind == configs.KindBool {
		return "bool"
	}
	return s.key.Unit
}

// addSettings registers the flags of the named keys, of all when none is
// named, and --config.
func addSettings(cmd *cobra.Command, names ...string) {
	flags := cmd.Flags()
	flags.SortFlags = false
	for _, k := range configs.Keys() {
		if k.Flag == "" || (len(names) > 0 && !slices.Contains(names, k.Name)) {
			continue
		}
		f := flags.VarPF(&setting{key: k}, k.Flag, "", k.Help)
		f.Annotations = map[string][]string{groupKey: {k.Group}}
		if k.Kind == configs.KindBool {
			f.NoOptDefVal = "true"
		}
		must(cmd.RegisterFlagCompletionFunc(k.Flag, completion(k)))
	}
	flags.String("config", "", "read settings from this `file` (default ./boardcast.yaml, else /etc/boardcast/boardcast.yaml)")
	must(cmd.MarkFlagFilename("config", "yaml", "yml"))
}

// must is for what only a broken table of flags makes fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// completion offers the words that a key takes; where a file or a device may
// be given, the shell goes on to paths.
func completion(k configs.Key) cobra.CompletionFunc {
	switch k.Kind {
	case configs.KindPath:
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	case configs.KindDevice:
		return cobra.FixedCompletions(k.Words, cobra.ShellCompDirectiveDefault)
	case configs.KindChoice, configs.KindLevel:
		return cobra.FixedCompletions(k.Words, cobra.ShellCompDirectiveNoFileComp)
	case configs.KindBool:
		return cobra.FixedCompletions([]string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp)
	default:
		return cobra.NoFileCompletions
	}
}

// searchDirs is where a settings file is looked for, but for tests.
var searchDirs = configs.SearchDirs()

// load reads the settings for a command that has the flags of addSettings.
func load(cmd *cobra.Command) (*configs.Config, error) { return loadFrom(cmd, searchDirs) }

// loadFrom does so with a settings file that is looked for in dirs.
func loadFrom(cmd *cobra.Command, dirs []string) (*configs.Config, error) {
	given, mixed := map[string]string{}, false
	cmd.Flags().Visit(func(f *pflag.Flag) {
		s, ok := f.Value.(*setting)
		switch {
		case !ok:
		case len(s.named) > 0:
			mixed = mixed || s.given
			nameCameras(given, s.named)
		default:
			given[s.key.Name] = s.text
		}
	})
	if mixed {
		return nil, errMixed
	}
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	return configs.Load(configs.Options{File: file, Dirs: dirs, Env: os.Environ(), Flags: given})
}
