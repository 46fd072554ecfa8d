package gst

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Reasons why a call into C may run without a time limit.
const (
	lastUnref  = "counts; with the last reference goes a payloader, which has no thread and no device"
	arithmetic = "makes, reads or frees memory of its own, and takes no lock"
	counter    = "takes a lock under which only numbers and pointers are read and written"
	handing    = "takes a fan's lock, which is held while a frame is handed round: an appsrc takes a frame at once, by block=false"
	registry   = "reads the registry of plugins, which is in memory, and loads none"
	atStart    = "runs once, before there is a viewer; the service manager's start limit bounds it"
	ownThread  = "runs on a goroutine of its own, for which nothing waits"
)

// unlimited are the calls into C that may run without a time limit, each with the reason. All others run in a function that is handed
// to one of the bounding functions.
var unlimited = map[string]string{
	"C.CString": arithmetic, "C.GoString": arithmetic, "C.calloc": arithmetic, "C.free": arithmetic, "C.g_free": arithmetic,
	"C.g_strfreev": arithmetic, "C.fan_new": arithmetic, "C.g_get_monotonic_time": arithmetic, "C.peer_rtcp_us": arithmetic,
	"C.gst_version": arithmetic,
	"C.fan_ref":     arithmetic, "C.fan_unref": arithmetic,
	"C.fan_count": counter, "C.fan_caps": counter, "C.subscription_count": counter, "C.subscription_keyframes_only": counter,
	"C.peer_keyframe_follows": counter, "C.peer_hear": counter,
	"C.subscription_moved": handing, "C.subscription_start": handing, "C.subscription_free": handing, "C.stage_mute": handing,
	"C.elements_like": registry, "C.elements_avoid": registry, "gst.Find": registry,
	"gst.Init": atStart, "C.media_epoch": atStart, "C.media_warm_dtls": atStart,
	"C.memory_give_back": ownThread,
	"gst.NewPipeline":    "makes an element of GStreamer's core, which is loaded",
}

// bounding are the functions that run another one under a time limit.
var bounding = []string{"bounded", "do", "call", "callOn", "ask", "stop"}

// wrappers are our own functions that call into C for as long as that takes: each call of them must have a time limit.
var wrappers = []string{"parse", "quiet", "elementHas"}

// elsewhere are the files whose calls block nobody.
var elsewhere = map[string]string{
	"trial.go":   "runs in a child process, which its parent kills at the end of its time",
	"crafted.go": "is called by tests alone",
}

// site is one call into C.
type site struct {
	name    string // "C.fan_new", "gst.Find", "SetState"
	at      token.Position
	limited bool
}

// sitesOf finds a file's calls into C: by cgo, by functions of go-gst, and by the method SetState.
func sitesOf(set *token.FileSet, file *ast.File) []site {
	var sites []site
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if call, ok := n.(*ast.CallExpr); ok {
			if name := foreign(call); name != "" {
				sites = append(sites, site{name, set.Position(call.Pos()), isLimited(stack)})
			}
		}
		stack = append(stack, n)
		return true
	})
	return sites
}

// foreign is the name of what a call runs in C, empty for a call that stays in Go and for a conversion to a type of C's.
func foreign(call *ast.CallExpr) string {
	if name := lastName(call.Fun); slices.Contains(wrappers, name) {
		return name
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	from, _ := f.X.(*ast.Ident)
	switch {
	case f.Sel.Name == "SetState":
		return "SetState"
	case from == nil:
		return ""
	case from.Name == "C" && !slices.Contains(conversions, f.Sel.Name), from.Name == "gst":
		return from.Name + "." + f.Sel.Name
	}
	return ""
}

// conversions are C's types, which are called like functions.
var conversions = []string{"int", "guint", "guint64", "uint32_t", "uintptr_t", "size_t", "gpointer", "gboolean"}

// isLimited tells whether one of the nodes around a call is a function that is handed to a bounding function, or a wrapper.
func isLimited(around []ast.Node) bool {
	for i, n := range around {
		if f, ok := n.(*ast.FuncDecl); ok && slices.Contains(wrappers, f.Name.Name) {
			return true
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || i+1 == len(around) || !slices.Contains(bounding, lastName(call.Fun)) {
			continue
		}
		if _, ok := around[i+1].(*ast.FuncLit); ok {
			return true
		}
	}
	return false
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// Every call into C that can block runs under a time limit; each other one has a row in the table, with its reason.
func TestCallsThatCanBlock(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	total := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") || elsewhere[path] != "" {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sitesOf(set, file) {
			total++
			used[s.name] = true
			if !s.limited && unlimited[s.name] == "" {
				t.Errorf("%s: %s has no time limit, and no row that says why it cannot block", s.at, s.name)
			}
		}
	}
	for name := range maps.Keys(unlimited) {
		if !used[name] {
			t.Errorf("the table has %s, which nothing calls", name)
		}
	}
	t.Logf("%d calls into C, of %d functions; %d functions may run without a time limit", total, len(used), len(unlimited))
}

// The look at the code sees a call without a limit, and is not taken in by one beside a bounding function.
func TestSitesAreSeen(t *testing.T) {
	const text = `package p
func a() { C.block() }
func b() { bounded(limit, func() error { C.block(); return nil }, nil) }
func c() { x.pipe.do(C.block(), f) }
func d() { other(func() { C.block(); p.SetState(1) }) }
func e() { _ = C.int(1); p.quiet() }
func quiet() { C.block() }`
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sitesOf(set, file) {
		word := s.name
		if s.limited {
			word += " limited"
		}
		got = append(got, word)
	}
	if want := []string{"C.block", "C.block limited", "C.block", "C.block", "SetState", "quiet", "C.block limited"}; !slices.Equal(got, want) {
		t.Errorf("seen %v, want %v", got, want)
	}
}
