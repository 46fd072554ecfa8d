package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"boardcast/configs"
	"boardcast/internal/access"
)

const keyAddLong = `Makes a key with a name, for a guest, and shows its link. The link is shown this
once: only a hash of the key is kept. What a guest may do and see, and how long,
is said by --role, --camera and --for. When the key ends or is removed, who uses
it is cut off within a second.

As JSON: {"name", "role", "cameras": [...] or null for all, "expires": a time or
null for never, "key", "links": [...]}.`

const keyListLong = `Lists the keys: name, role, cameras, and when they end. It shows no key itself.

As JSON: {"path": the file of the keys, "keys": [{"name", "role", "cameras":
[...] or null for all, "expires": a time or null for never}, ...]}.`

// fileAlone stands for no setting: a command has --config and no flag of a setting.
const fileAlone = ""

// grantReply is one key in the JSON of `boardcast key list`. Its members stay.
type grantReply struct {
	Name    string      `json:"name"`
	Role    access.Role `json:"role"`
	Cameras []string    `json:"cameras"`
	Expires *time.Time  `json:"expires"`
}

func newGrantReply(g access.Grant) grantReply {
	r := grantReply{Name: g.Name, Role: g.Role, Cameras: g.Cameras}
	if !g.Expires.IsZero() {
		r.Expires = &g.Expires
	}
	return r
}

// named are the flags of `boardcast key add`.
type named struct {
	role    access.Role
	cameras []string
	lasts   span
	asJSON  bool
}

func newKeyAdd(stdout, stderr io.Writer) *cobra.Command {
	var n named
	cmd := &cobra.Command{
		Use:     "add NAME",
		Aliases: []string{"create", "new"},
		Short:   "Make a key for a guest, which can end by itself",
		Long:    keyAddLong,
		Example: "  boardcast key add kitchen\n  boardcast key add ana --camera front --for 24h\n" +
			"  boardcast key add anna --role owner --for 2w",
		Args:              oneName,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := openKeyring(cmd, stderr)
			if err != nil {
				return err
			}
			return n.add(from, args[0], stdout, stderr)
		},
	}
	addSettings(cmd, keySettings...)
	cmd.Flags().TextVar(&n.role, "role", access.Viewer, "the `role`: viewer or owner")
	cmd.Flags().StringSliceVar(&n.cameras, "camera", nil, "the `name` of a camera that it is for; may be repeated (default all)")
	cmd.Flags().Var(&n.lasts, "for", "the `time` that it lasts, such as 90m, 24h, 7d or 2w (default for ever)")
	cmd.Flags().BoolVar(&n.asJSON, "json", false, "as one JSON object")
	must(cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"viewer", "owner"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("camera", completeCameras))
	must(cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{"1h", "24h", "7d"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// add makes the key and shows its link.
func (n named) add(from keyring, name string, stdout, stderr io.Writer) error {
	g := access.Grant{Name: name, Role: n.role, Cameras: n.cameras}
	if n.lasts > 0 {
		g.Expires = time.Now().Add(time.Duration(n.lasts)).Truncate(time.Second)
	}
	key, err := from.keys.Add(g)
	if err != nil {
		return fmt.Errorf("add a key: %w", err)
	}
	for _, camera := range n.cameras {
		if !slices.Contains(from.cameras, camera) {
			fmt.Fprintf(stderr, "boardcast: hint: the settings name no camera %s: the key lets nobody see one until they do\n", camera)
		}
	}
	links := linksTo(from.addresses, key)
	if n.asJSON {
		return writeJSON(stdout, struct {
			grantReply
			Key   string   `json:"key"`
			Links []string `json:"links"`
		}{newGrantReply(g), key, links})
	}
	fmt.Fprintf(stdout, "%s: %s, %s, %s\n", name, g.Role, camerasOf(g), endOf(g, time.Now()))
	writeLinks(stdout, links)
	fmt.Fprintln(stdout, "this link is not shown again")
	return nil
}

func newKeyList(stdout, stderr io.Writer) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the keys, without showing them",
		Long:    keyListLong,
		Example: "  boardcast key list\n  boardcast key list --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, err := openKeyring(cmd, stderr)
			if err != nil {
				return err
			}
			all := from.keys.Grants()
			if !asJSON {
				return writeGrants(stdout, all)
			}
			replies := []grantReply{}
			for _, g := range all {
				replies = append(replies, newGrantReply(g))
			}
			return writeJSON(stdout, struct {
				Path string       `json:"path"`
				Keys []grantReply `json:"keys"`
			}{from.keys.Path(), replies})
		},
	}
	addSettings(cmd, fileAlone)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	return cmd
}

func writeGrants(w io.Writer, all []access.Grant) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", g.Name, g.Role, camerasOf(g), endOf(g, time.Now()))
	}
	return table.Flush() // the only one that writes
}

func newKeyRemove(stdout, stderr io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm", "delete", "revoke"},
		Short:   "Take away a guest's key; who uses it is cut off",
		Example: "  boardcast key remove kitchen",
		Args:    oneName,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return namesOfKeys(cmd), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := openKeyring(cmd, stderr)
			if err != nil {
				return err
			}
			if err := from.keys.Remove(args[0]); err != nil {
				return noSuchKey(from.keys, args[0], err)
			}
			fmt.Fprintf(stdout, "removed %s from %s\n", args[0], from.whose)
			return nil
		},
	}
	addSettings(cmd, fileAlone)
	return cmd
}

// noSuchKey adds to the error for a name that no named key has what was probably meant.
func noSuchKey(keys *access.Keys, name string, err error) error {
	if !errors.Is(err, access.ErrUnknown) {
		return err
	}
	var names []string
	for _, g := range keys.Grants() {
		names = append(names, g.Name)
	}
	switch near := configs.Nearest(name, names[len(access.Roles()):]); {
	case slices.Contains(names, name):
		return hinted{fmt.Errorf("remove %s: a role always has a key", name), "`boardcast key --new " + name + "` changes it"}
	case near != "":
		return hinted{err, "did you mean " + near + "? `boardcast key list` lists the keys"}
	default:
		return hinted{err, "`boardcast key list` lists the keys"}
	}
}

// oneName takes a name and nothing else.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return hinted{fmt.Errorf("%s takes one name, not %d", cmd.CommandPath(), len(args)), fmt.Sprintf("`%s --help` shows what it takes", cmd.CommandPath())}
	}
	return nil
}

// namesOfKeys completes the names of the named keys. It makes no keys, and says nothing of what goes wrong.
func namesOfKeys(cmd *cobra.Command) []string {
	at, err := findKeys(os.Getenv, io.Discard)
	if err != nil || !at.hasKeys() {
		return nil
	}
	from, err := openKeyring(cmd, io.Discard)
	if err != nil {
		return nil
	}
	var names []string
	for _, g := range from.keys.Grants()[len(access.Roles()):] {
		names = append(names, g.Name)
	}
	return names
}

// completeCameras completes the names that the settings give to cameras.
func completeCameras(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	cfg, err := load(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return namesOf(newStreams(cmd.Context(), cfg)), cobra.ShellCompDirectiveNoFileComp
}

// camerasOf words which cameras a key is for.
func camerasOf(g access.Grant) string { return cmp.Or(strings.Join(g.Cameras, ","), "all cameras") }

// endOf words when a key ends.
func endOf(g access.Grant, now time.Time) string {
	const minutes = "2006-01-02 15:04"
	switch {
	case g.Expires.IsZero():
		return "for ever"
	case !now.Before(g.Expires):
		return "expired " + g.Expires.Local().Format(minutes)
	default:
		return "until " + g.Expires.Local().Format(minutes)
	}
}
