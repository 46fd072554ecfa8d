package rules

import "strings"

type tree map[string]string

// ruleCases are named after the rule they show; want is nil where the rule must stay silent.
var ruleCases = []struct {
	name  string
	rule  rule
	files tree
	want  []string
}{
	{
		"imports: what the table allows", importRule,
		tree{
			"board/a.go":        "package board\nimport \"io/fs\"\n",
			"pipeline/a.go":     "package pipeline\nimport (\"boardcast/board\"; \"boardcast/device\")\n",
			"pipeline/gst/a.go": "package gst\nimport \"C\"\nimport (\"boardcast/pipeline\"; \"github.com/go-gst/go-gst/gst\")\n",
			"board/a_test.go":   "package board_test\nimport (\"boardcast/board\"; \"github.com/google/go-cmp/cmp\")\n",
		},
		nil,
	},
	{
		"imports: a room looks into another", importRule,
		tree{"board/a.go": "package board\nimport \"boardcast/device\"\n"},
		[]string{"board/a.go:2: imports boardcast/device"},
	},
	{
		"imports: what decides looks at what serves", importRule,
		tree{
			"pipeline/a.go":      "package pipeline\nimport \"boardcast/pipeline/live\"\n",
			"pipeline/b.go":      "package pipeline\nimport \"boardcast/pipeline/trial\"\n",
			"pipeline/live/a.go": "package live\nimport (\"boardcast/pipeline\"; \"boardcast/pipeline/trial\")\n",
		},
		[]string{
			"pipeline/a.go:2: imports boardcast/pipeline/live",
			"pipeline/b.go:2: imports boardcast/pipeline/trial",
			"pipeline/live/a.go:2: imports boardcast/pipeline/trial",
		},
	},
	{
		"imports: nobody imports cmd", importRule,
		tree{"internal/web/a.go": "package web\nimport \"boardcast/cmd/boardcast\"\n"},
		[]string{"internal/web/a.go:2: imports boardcast/cmd/boardcast"},
	},
	{
		"imports: the binding in the wrong room", importRule,
		tree{"pipeline/a.go": "package pipeline\nimport \"github.com/go-gst/go-gst/gst/app\"\n"},
		[]string{"pipeline/a.go:2: imports github.com/go-gst/go-gst/gst/app"},
	},
	{
		"imports: cgo in the wrong room", importRule,
		tree{"device/a.go": "package device\n\n/* int x; */\nimport \"C\"\n"},
		[]string{"device/a.go:4: imports C"},
	},
	{
		"imports: cgo in a test", importRule,
		tree{"pipeline/a_test.go": "package pipeline\nimport \"C\"\n"},
		[]string{"pipeline/a_test.go:2: imports C"},
	},
	{
		"imports: a test's library outside a test", importRule,
		tree{"configs/a.go": "package configs\nimport \"github.com/google/go-cmp/cmp\"\n"},
		[]string{"configs/a.go:2: imports github.com/google/go-cmp/cmp"},
	},
	{
		"imports: a library whose name only begins alike", importRule,
		tree{"internal/signalling/a.go": "package signalling\nimport \"github.com/gorilla/websocketx\"\n"},
		[]string{"internal/signalling/a.go:2: imports github.com/gorilla/websocketx"},
	},
	{
		"imports: a package the table lacks", importRule,
		tree{"internal/util/a.go": "package util\n", "internal/util/b.go": "package util\n"},
		[]string{"internal/util: the import table lacks this package"},
	},
	{
		"binding stays behind its wall: bodies, unexported fields and functions may", wallRule,
		tree{"pipeline/gst/a.go": "package gst\nimport \"github.com/go-gst/go-gst/gst\"\n" +
			"type Engine struct { p *gst.Pipeline }\nfunc (e *Engine) Run() { gst.Init(nil) }\n" +
			"func own(*gst.Element) {}\ntype room struct{}\nfunc (room) Open(gst.State) {}\n"},
		nil,
	},
	{
		"binding stays behind its wall: exported signatures, fields, types and values", wallRule,
		tree{"pipeline/gst/a.go": "package gst\nimport \"C\"\nimport g \"github.com/go-gst/go-gst/gst\"\n" +
			"type Engine struct { Pipe *g.Pipeline }\nfunc (e *Engine) Do(x C.int) {}\nfunc New() []*g.Element { return nil }\n" +
			"type Bus = g.Bus\nvar Idle g.State\n"},
		[]string{
			"pipeline/gst/a.go:4: exports the binding's type g.Pipeline",
			"pipeline/gst/a.go:5: exports the binding's type C.int",
			"pipeline/gst/a.go:6: exports the binding's type g.Element",
			"pipeline/gst/a.go:7: exports the binding's type g.Bus",
			"pipeline/gst/a.go:8: exports the binding's type g.State",
		},
	},
	{
		"package comments: one file has it", docRule,
		tree{"board/a.go": "// Package board detects.\npackage board\n", "board/b.go": "package board\n"},
		nil,
	},
	{
		"package comments: none, one behind a blank line, one in a test only", docRule,
		tree{
			"board/a.go":       "package board\n",
			"configs/a.go":     "// Package configs loads.\n\npackage configs\n",
			"device/a.go":      "package device\n",
			"device/a_test.go": "// Package device lists.\npackage device\n",
		},
		[]string{"board: no package comment", "configs: no package comment", "device: no package comment"},
	},
	{
		"calls: main and TestMain may end the program", callRule,
		tree{
			"cmd/x/main.go": "package main\nimport \"os\"\nfunc main() { os.Exit(1) }\n",
			"a/a_test.go":   "package a\nimport \"os\"\nfunc TestMain(m *testing.M) { os.Exit(m.Run()) }\n",
		},
		nil,
	},
	{
		"calls: a method called Sleep, one called init", callRule,
		tree{"a/a.go": "package a\nimport \"time\"\ntype x struct{ time time.Time }\nfunc (x) init() { x{}.Sleep() }\nfunc (x) Sleep() {}\n"},
		nil,
	},
	{
		"calls: each forbidden one, also by another name and as a value", callRule,
		tree{
			"a/a.go": "package a\nimport (\n\"fmt\"\n\"log\"\n\"os\"\nclock \"time\"\n)\n" +
				"func init() {}\nfunc main() {\nclock.Sleep(1)\nfmt.Println()\nlog.Fatal()\nos.Exit(1)\n}\nvar nap = clock.Sleep\n",
			"cmd/x/main.go": "package main\nimport \"os\"\nfunc run() { os.Exit(1) }\n",
		},
		[]string{
			"a/a.go:8: init: construct in main, pass in",
			"a/a.go:10: time.Sleep: wait on a context, a channel or a timer",
			"a/a.go:11: fmt.Println: write to the io.Writer passed in",
			"a/a.go:12: log.Fatal: use the slog.Logger passed in",
			"a/a.go:13: os.Exit: return an error; only main ends the program",
			"a/a.go:15: time.Sleep: wait on a context, a channel or a timer",
			"cmd/x/main.go:3: os.Exit: return an error; only main ends the program",
		},
	},
	{
		"no code for one board: other comparisons, and tests", boardRule,
		tree{
			"board/a.go":       "package board\nvar boards = []Board{{ID: \"pi5\"}}\nvar x = boards[0].ID == \"pi5\"\n",
			"pipeline/a.go":    "package pipeline\nvar x = camera.ID == \"usb\"\n",
			"board/a_test.go":  "package board\nvar y = b.ID == \"pi5\"\n",
			"device/a_test.go": "package device\nvar y = theBoard.ID == \"pi5\"\n",
		},
		nil,
	},
	{
		"no code for one board: by field, by literal, by switch and by case", boardRule,
		tree{
			"board/a.go": "package board\nvar boards = []Board{{ID: \"pi5\"}, {ID: \"rock\"}}\n",
			"pipeline/a.go": "package pipeline\nfunc f() {\nif board.ID != other {}\nif name == \"pi5\" {}\n" +
				"switch in.Board.ID {}\nswitch name {\ncase \"x\", \"rock\":\n}\n}\n",
		},
		[]string{
			"pipeline/a.go:3: asks for one board: make it a field of the board's row",
			"pipeline/a.go:4: asks for one board: make it a field of the board's row",
			"pipeline/a.go:5: asks for one board: make it a field of the board's row",
			"pipeline/a.go:7: asks for one board: make it a field of the board's row",
		},
	},
	{
		"file length: 450 lines, and longer ones that nobody wrote", lengthRule,
		tree{
			"a.js": strings.Repeat("\n", 450), "LICENSE": strings.Repeat("\n", 999),
			"x/package-lock.json": strings.Repeat("\n", 999), "x/node_modules/y.js": strings.Repeat("\n", 999),
			".gitignore": "node_modules/\n",
		},
		nil,
	},
	{
		"file length: 451 lines, the last without a newline", lengthRule,
		tree{"a.js": strings.Repeat("\n", 450) + "x", "test/run": strings.Repeat("\n", 451)},
		[]string{"a.js: 451 lines, split it", "test/run: 451 lines, split it"},
	},
	{
		"top level: what belongs there", topRule,
		tree{"go.mod": "", "cmd/a": "", ".ci/run": "", "bin/x": "", ".gitignore": "/bin/\n"},
		nil,
	},
	{
		"top level: a new room, a stray file, a name that is ignored elsewhere", topRule,
		tree{"pkg/a": "", "notes.txt": "", "node_modules": "", ".gitignore": "node_modules/\n"},
		[]string{
			"node_modules: does not belong at the top", "notes.txt: does not belong at the top",
			"pkg: does not belong at the top",
		},
	},
	{
		"nothing private: paths and hosts that mean something else", privateRule,
		tree{"a.sh": "cd \"$tmp/work/x\"; ls ./root/x /workshop/ network/ \n# https://pkg.go.dev, wiki" + ".debian.org, golang.org/x/sys\n"},
		nil,
	},
	{
		"nothing private: paths, hosts and a lock file's addresses", privateRule,
		tree{
			"a.md":                "see /wo" + "rk/main\n",
			"b.sh":                "cp x /ro" + "ot/.cache\nP=/t" + "mp/w/x\n",
			"c/Dockerfile":        "GOPROXY=https://proxy" + ".golang.org,direct\ndeb http://deb" + ".debian.org/debian x main\n",
			"d/package-lock.json": "{\n\"resolved\": \"elsewhere\"\n}\n",
		},
		[]string{
			"a.md:1: an absolute path of one machine: /wo" + "rk/",
			"b.sh:1: an absolute path of one machine: /ro" + "ot/",
			"b.sh:2: an absolute path of one machine: =/t" + "mp/w/",
			"c/Dockerfile:1: a package registry's host: proxy" + ".golang.org",
			"c/Dockerfile:2: a package registry's host: deb" + ".debian.org",
			"d/package-lock.json:2: names a registry (omit-lockfile-registry-resolved)",
		},
	},
	{
		"make help: each target has its line", makeRule,
		tree{"Makefile": "GO := go\nhelp: ## list\n\t@x\nbin/x: a\n" + strings.Repeat("a b-c d: ## x\n", 19)},
		nil,
	},
	{
		"make help: a target without, and too many", makeRule,
		tree{"Makefile": "run: build\n" + "a b: c\n" + strings.Repeat("x: ## x\n", 19)},
		[]string{"Makefile: target run has no help", "Makefile: target a b has no help", "Makefile: 21 lines of targets"},
	},
	{
		"words: in names of every kind", wordRule,
		tree{"a/a.go": "package util\n\ntype HTTPHelper struct{ wrapper int }\n\nfunc f(impl int) {\n\tmaxBandwidth := impl\n\tfor subscriber := range 3 {\n" +
			"\t\t_ = subscriber\n\t}\n\t_ = maxBandwidth\n}\n\nvar miscUtils int\n"},
		[]string{
			"a/a.go:1: util: not util: name what it does",
			"a/a.go:3: HTTPHelper: not helper: name what it does",
			"a/a.go:3: wrapper: not wrapper: name what it adds",
			"a/a.go:5: impl: not impl: name what it is made with",
			"a/a.go:6: maxBandwidth: not bandwidth: bitrate is what is sent, estimate what a link is thought to carry",
			"a/a.go:7: subscriber: not subscriber: subscription, or viewer",
			"a/a.go:13: miscUtils: not misc: name what it holds",
			"a/a.go:13: miscUtils: not utils: name what they do",
		},
	},
	{
		"words: in what others have declared, and within other words", wordRule,
		tree{"a/a.go": "package a\n\nimport \"testing\"\n\nfunc f(t *testing.T) { t.Helper() }\n\nvar utility, implicit int\n"},
		nil,
	},
}
