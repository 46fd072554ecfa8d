package rules

import (
	"slices"
	"strings"
)

const module = "boardcast"

// room is one row of the import table: what a package may import beyond the standard library. A name that ends in
// "/..." stands for all below it too. "C" is cgo.
type room struct {
	dir     string
	ours    []string // relative to the module
	theirs  []string
	inTests []string // beyond ours and theirs, in its test files only
}

const (
	goCmp     = "github.com/google/go-cmp/..."
	websocket = "github.com/gorilla/websocket"
)

// rooms is the import table. A package that is not here may not exist: the table is where a new one is argued for.
var rooms = []room{
	{dir: "board"},
	{dir: "device", theirs: []string{"github.com/vladimirvivien/go4vl/...", "golang.org/x/sys/unix"}},
	{dir: "configs", theirs: []string{"github.com/spf13/viper", "go.yaml.in/yaml/v3"}},
	{dir: "pipeline", ours: []string{"board", "device"}},
	{dir: "pipeline/trial", ours: []string{"pipeline"}},
	{dir: "pipeline/congestion"},
	{dir: "pipeline/places", theirs: []string{"golang.org/x/time/rate"}},
	{dir: "pipeline/agreement", ours: []string{"pipeline", "internal/sdp"}},
	{dir: "pipeline/media", ours: []string{"pipeline", "pipeline/agreement", "pipeline/congestion"}},
	// An engine for tests: no package that is built into the product may import it.
	{dir: "pipeline/media/fake", ours: []string{"pipeline", "pipeline/media", "pipeline/agreement", "internal/latest"}},
	{
		dir: "pipeline/produce", ours: []string{"pipeline", "pipeline/media", "pipeline/congestion", "internal/latest"},
		inTests: []string{"pipeline/media/fake"},
	},
	{
		dir: "pipeline/live",
		ours: []string{
			"pipeline", "pipeline/media", "pipeline/produce", "pipeline/agreement", "pipeline/places", "pipeline/congestion", "internal/sdp", "internal/latest",
			"internal/ice",
		},
		theirs:  []string{"golang.org/x/time/rate"},
		inTests: []string{"pipeline/media/fake"},
	},
	{
		dir: "pipeline/gst", ours: []string{"pipeline", "pipeline/trial", "pipeline/agreement", "pipeline/media", "pipeline/congestion"},
		theirs:  []string{"C", "github.com/go-gst/..."},
		inTests: []string{"device", "pipeline/produce", "pipeline/live", "pipeline/places", "test/namespace"},
	},
	{dir: "internal/latest"},
	{dir: "internal/signalling", ours: []string{"internal/sdp"}, theirs: []string{websocket}},
	{dir: "internal/sdp", theirs: []string{"github.com/pion/sdp/v3"}},
	{dir: "internal/whip", ours: []string{"internal/sdp"}},
	{dir: "internal/ice", ours: []string{"internal/sdp"}, theirs: []string{"golang.org/x/sync/errgroup"}},
	{dir: "internal/web", ours: []string{"internal/access"}, inTests: []string{websocket}},
	{dir: "internal/access"},
	{dir: "internal/certificate"},
	{dir: "internal/doctor"},
	{dir: "internal/rules"},
	{
		dir: "cmd/boardcast",
		ours: []string{
			"board", "device", "configs", "pipeline", "pipeline/trial", "pipeline/places", "pipeline/produce", "pipeline/live", "pipeline/gst",
			"internal/access", "internal/certificate", "internal/sdp", "internal/signalling", "internal/web", "internal/doctor", "internal/whip", "internal/ice",
		},
		theirs: []string{
			"github.com/coreos/go-systemd/v22/daemon", "github.com/spf13/cobra/...", "github.com/spf13/pflag", "github.com/spf13/viper", "golang.org/x/sync/errgroup",
			"github.com/mdp/qrterminal/v3", "rsc.io/qr", "golang.org/x/term",
		},
		inTests: []string{websocket, "github.com/rogpeppe/go-internal/testscript"},
	},
	{dir: "test", inTests: []string{"github.com/rogpeppe/go-internal/testscript"}},
	// A viewer without a browser is written with pion; the product must not be.
	{dir: "test/viewers", theirs: []string{websocket, "github.com/pion/..."}},
	{dir: "test/hostile", theirs: []string{websocket, "github.com/pion/..."}},
	{dir: "test/namespace"},
	{dir: "test/e2e", ours: []string{"test/namespace", "test/viewers", "test/hostile"}, theirs: []string{websocket, "golang.org/x/sys/unix", "github.com/pion/..."}},
	{dir: "test/lab", ours: []string{"test/namespace", "test/viewers"}, theirs: []string{"golang.org/x/sys/unix"}},
	{dir: "test/service/freeze", theirs: []string{"golang.org/x/sys/unix"}},
}

// importRule holds the packages apart: each imports only what its row in the table allows.
func importRule(r repository) []string {
	var found []string
	lacking := map[string]bool{}
	for _, file := range r.code {
		at := slices.IndexFunc(rooms, func(r room) bool { return r.dir == file.dir() })
		if at < 0 {
			if !lacking[file.dir()] {
				found = append(found, file.dir()+": the import table lacks this package")
			}
			lacking[file.dir()] = true
			continue
		}
		for _, spec := range file.ast.Imports {
			if name := importedPath(spec); !rooms[at].allows(name, file.isTest()) {
				found = append(found, file.at(spec.Pos(), "imports %s", name))
			}
		}
	}
	return found
}

// allows says whether a file of the room may import the path.
func (r room) allows(name string, test bool) bool {
	if own, isOurs := strings.CutPrefix(name, module+"/"); isOurs {
		return slices.ContainsFunc(r.ours, matches(own)) || test && (own == r.dir || slices.ContainsFunc(r.inTests, matches(own)))
	}
	if isStandard(name) {
		return true
	}
	return slices.ContainsFunc(r.theirs, matches(name)) ||
		test && (matches(name)(goCmp) || slices.ContainsFunc(r.inTests, matches(name)))
}

// isStandard goes by the shape: only paths outside the standard library begin with a host name. The "C" of cgo is not
// of the library either.
func isStandard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return name != "C" && !strings.Contains(first, ".")
}

func matches(name string) func(pattern string) bool {
	return func(pattern string) bool {
		prefix, below := strings.CutSuffix(pattern, "/...")
		return name == prefix || below && strings.HasPrefix(name, prefix+"/")
	}
}
