package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"boardcast/internal/access"
)

const keyLong = `Shows the links that let viewers and owners in, each with its key, and in a
terminal as a QR code too. A viewer watches, listens and talks. An owner may
also change settings. Whoever has a link may pass it on: give it to nobody else.

The keys are made at the first start. With --new they are changed: who used the
old one is cut off within a second, also from a program that runs already. For
a guest there are named keys, which can end by themselves.

The service's keys are for root alone (sudo boardcast key). Without a service
they are those of the user who runs boardcast.

As JSON: {"path": the file of the keys, "keys": [{"role": "viewer" or "owner",
"key": the key, "links": [an address for each network]}, ...],
"fingerprint_sha256": of the board's own certificate, with --tls auto alone}.`

const keyExample = `  boardcast key                       the links, and their QR codes
  sudo boardcast key                  those of the service
  boardcast key --new                 change both keys
  boardcast key --new viewer          change the viewers' key
  boardcast key add kitchen --camera front --for 24h
  boardcast key list
  boardcast key remove kitchen`

// newKeyCommand builds `boardcast key` and what is below it.
func newKeyCommand(stdout, stderr io.Writer) *cobra.Command {
	var asJSON, renew bool
	cmd := &cobra.Command{
		Use:       "key [--new [viewer|owner]]",
		Short:     "Show or change the links that let viewers in",
		Long:      keyLong,
		Example:   keyExample,
		ValidArgs: []string{access.Viewer.String(), access.Owner.String()},
		Args: func(cmd *cobra.Command, args []string) error {
			if renew && len(args) == 1 {
				return nil
			}
			return noArgs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			roles, err := rolesOf(args)
			if err != nil {
				return err
			}
			from, err := openKeyring(cmd, stderr)
			if err != nil {
				return err
			}
			if !renew {
				return from.show(stdout, access.Roles(), asJSON)
			}
			if err := from.keys.Renew(roles...); err != nil {
				return err
			}
			return from.show(stdout, roles, asJSON)
		},
	}
	addSettings(cmd, keySettings...)
	cmd.Flags().BoolVar(&renew, "new", false, "change the keys of both roles, or of the one that is named")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as one JSON object")
	cmd.AddCommand(newKeyAdd(stdout, stderr), newKeyList(stdout, stderr), newKeyRemove(stdout, stderr))
	return cmd
}

// rolesOf are the roles that are named, all where none is.
func rolesOf(args []string) ([]access.Role, error) {
	if len(args) == 0 {
		return access.Roles(), nil
	}
	var role access.Role
	if err := role.UnmarshalText([]byte(args[0])); err != nil {
		return nil, hinted{err, "`boardcast key remove NAME` takes away a named key, and `boardcast key add NAME` makes a new one"}
	}
	return []access.Role{role}, nil
}

// rolePurpose says what each role's link is for.
var rolePurpose = map[access.Role]string{
	access.Viewer: "for viewers: watch, listen and talk",
	access.Owner:  "for owners: change settings too",
}

// keyReply is the JSON of `boardcast key`. Its members stay.
type keyReply struct {
	Path        string         `json:"path"`
	Keys        []roleKeyReply `json:"keys"`
	Fingerprint string         `json:"fingerprint_sha256,omitempty"` // of the board's own certificate
}

type roleKeyReply struct {
	Role  access.Role `json:"role"`
	Key   string      `json:"key"`
	Links []string    `json:"links"`
}

// show writes the links of some roles.
func (k keyring) show(stdout io.Writer, roles []access.Role, asJSON bool) error {
	reply := keyReply{Path: k.keys.Path(), Keys: []roleKeyReply{}, Fingerprint: k.fingerprint}
	for _, role := range roles {
		key := k.keys.Key(role)
		reply.Keys = append(reply.Keys, roleKeyReply{Role: role, Key: key, Links: linksTo(k.addresses, key)})
	}
	if asJSON {
		return writeJSON(stdout, reply)
	}
	fmt.Fprintf(stdout, "%s, in %s\n", k.whose, reply.Path)
	for _, one := range reply.Keys {
		fmt.Fprintf(stdout, "\n%s: %s\n", one.Role, rolePurpose[one.Role])
		writeLinks(stdout, one.Links)
	}
	if k.fingerprint != "" {
		fmt.Fprintf(stdout, "\n"+fingerprintLine, k.fingerprint)
	}
	return nil
}

// writeLinks writes the links of one key, and in a terminal the first one as a QR code too.
func writeLinks(stdout io.Writer, links []string) {
	for _, one := range links {
		fmt.Fprintf(stdout, "  %s\n", one)
	}
	if isTerminal(stdout) {
		writeCode(stdout, links[0])
	}
}
