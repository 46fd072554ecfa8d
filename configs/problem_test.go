package configs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProblems shows what people read; F stands for the file's path.
func TestProblems(t *testing.T) {
	tests := []struct {
		name  string
		file  string
		env   []string
		flags map[string]string
		want  []string
	}{
		{name: "unknown key", file: "video:\n  widht: 640\n", want: []string{"F:2: video.widht: unknown key; did you mean video.width?"}},
		{name: "forgotten section", file: "width: 640\n", want: []string{"F:1: width: unknown key; did you mean video.width?"}},
		{name: "mistaken section", file: "video:\n  speaker: none\n", want: []string{"F:2: video.speaker: unknown key; did you mean audio.speaker?"}},
		{name: "unknown section", file: "\nvidoe:\n  width: 640\n", want: []string{"F:2: vidoe: unknown key; did you mean video?"}},
		{name: "a section of another program", file: "web: {port: 80}\nauth: {user: me}\n", want: []string{"F:1: web: unknown key; did you mean listen?", "F:2: auth: unknown key"}},
		{name: "capitals", file: "Listen: :80\n", want: []string{"F:1: Listen: unknown key; did you mean listen?"}},
		{name: "merge key", file: "a: &a {}\n<<: *a\n", want: []string{
			"F:1: a: unknown key", "F:2: <<: YAML's merge key is not read here",
		}},
		{name: "unknown variable", env: []string{"BOARDCAST_VIDEO_WIDHT=1"}, want: []string{"env BOARDCAST_VIDEO_WIDHT: unknown variable; did you mean BOARDCAST_VIDEO_WIDTH?"}},
		{name: "variable without its section", env: []string{"BOARDCAST_REMOTE_OFFERER=1"}, want: []string{"env BOARDCAST_REMOTE_OFFERER: unknown variable; did you mean BOARDCAST_SIGNALLING_REMOTE_OFFERER?"}},
		{name: "unknown flag key", flags: map[string]string{"video.widht": "1"}, want: []string{"flag --video.widht: unknown key; did you mean video.width?"}},

		{name: "odd width", file: "video:\n  width: 641\n", want: []string{"F:2: video.width: 641 is not a multiple of 2; did you mean 640?"}},
		{name: "width below", flags: map[string]string{"video.width": "10"}, want: []string{"flag --width: video.width: 10 is below the least, 32 (0 = choose for me); did you mean 32?"}},
		{name: "width negative", env: []string{"BOARDCAST_VIDEO_WIDTH=-640"}, want: []string{"env BOARDCAST_VIDEO_WIDTH: video.width: -640 is below the least, 32 (0 = choose for me); did you mean 0?"}},
		{name: "width beyond counting", flags: map[string]string{"video.width": strings.Repeat("9", 400)}, want: []string{`flag --width: video.width: "` + strings.Repeat("9", 50) + `" is not a whole number; did you mean 8192?`}},
		{name: "width with unit", flags: map[string]string{"video.width": "640px"}, want: []string{`flag --width: video.width: "640px" is not a whole number; did you mean 640?`}},
		{name: "width in words", flags: map[string]string{"video.width": "wide"}, want: []string{`flag --width: video.width: "wide" is not a whole number from 32 to 8192, or 0 = choose for me`}},
		{name: "framerate above", flags: map[string]string{"video.framerate": "200"}, want: []string{"flag --framerate: video.framerate: 200 is above the most, 120; did you mean 120?"}},
		{name: "framerate broken", file: "video: {framerate: 29.97}\n", want: []string{`F:1: video.framerate: "29.97" is not a whole number; did you mean 30?`}},
		{name: "bitrate below", flags: map[string]string{"video.bitrate": "1500"}, want: []string{"flag --bitrate: video.bitrate: 1500 is below the least, 50k (0 = choose for me); did you mean 1.5M?"}},
		{name: "bitrate with unit", flags: map[string]string{"video.bitrate": "2 Mbit/s"}, want: []string{`flag --bitrate: video.bitrate: "2 Mbit/s" is not a bitrate, such as 1500k or 2.5M; did you mean 2M?`}},
		{name: "bitrate above", flags: map[string]string{"video.bitrate": "1000M"}, want: []string{"flag --bitrate: video.bitrate: 1000M is above the most, 100M; did you mean 100M?"}},
		{name: "grace without unit", file: "viewers:\n  grace: 7\n", want: []string{`F:2: viewers.grace: "7" is not a length of time, such as 500ms or 5s; did you mean 7s?`}},
		{name: "codec", file: "video:\n  codec: h265\n", want: []string{`F:2: video.codec: "h265" is none of auto, h264, vp8; did you mean h264?`}},
		{name: "codec left blank", flags: map[string]string{"video.codec": ""}, want: []string{`flag --codec: video.codec: "" is none of auto, h264, vp8; did you mean auto?`}},
		{name: "log level", env: []string{"BOARDCAST_LOG_LEVEL=INFO"}, want: []string{`env BOARDCAST_LOG_LEVEL: log.level: "INFO" is none of debug, info, warn, error; did you mean info?`}},
		{name: "bool", file: "display: ture\n", want: []string{`F:1: display: "ture" is neither true nor false; did you mean true?`}},
		{name: "port alone", file: "listen: 8443\n", want: []string{`F:1: listen: "8443" is not address:port; did you mean :8443?`}},
		{name: "device switched off", file: "audio: {microphone: off}\n", want: []string{`F:1: audio.microphone: "off" names no device; did you mean none?`}},
		{name: "room is a word of the protocol", flags: map[string]string{"signalling.room": "session", "signalling.server": "ws://s"}, want: []string{`flag --room: signalling.room: "session" is a word of the protocol; did you mean session-1?`}},
		{name: "id with a blank", flags: map[string]string{"signalling.id": "front door"}, want: []string{`flag --id: signalling.id: "front door" holds a blank; did you mean front-door?`}},

		{name: "list where a value should be", file: "video:\n  width: [640, 480]\n", want: []string{"F:2: video.width: takes one value, not a list"}},
		{name: "keys where a value should be", file: "listen:\n  port: 80\n", want: []string{"F:1: listen: takes one value, not further keys"}},
		{name: "keys where a list should be", file: "ice:\n  turn: {a: b}\n", want: []string{"F:2: ice.turn: takes a list, not further keys"}},
		{name: "list in a list", file: "ice:\n  turn:\n  - [a]\n  -\n", want: []string{
			"F:3: ice.turn: has a list where an item should be", "F:4: ice.turn: has nothing where an item should be",
		}},
		{name: "item of a list", file: "ice:\n  turn:\n    - turn://u:p@h\n    - turn:u:p@h\n", want: []string{
			"F:4: ice.turn: does not start with turn:// or turns://; did you mean turn://u:***@h:3478?",
		}},
		{name: "value where a section should be", file: "video: 640\n", want: []string{"F:1: video: is a section with keys below it, not a single value; did you mean video.camera?"}},
		{name: "key that is no word", file: "[a]: b\n", want: []string{"F:1: has a list where a key should be"}},
		{name: "twice", file: "listen: :1\nvideo: {width: 1}\nlisten: :3\n", want: []string{"F:2: video.width: 1 is below the least, 32 (0 = choose for me); did you mean 32?", "F:3: listen: is set twice, first on line 1"}},
		{name: "section twice", file: "video: {}\nvideo: {}\n", want: []string{"F:2: video: is set twice, first on line 1"}},
		{name: "list file", file: "- a\n", want: []string{"F:1: a settings file holds `key: value` lines, not a list"}},
		{name: "word file", file: "hello\n", want: []string{"F:1: a settings file holds `key: value` lines, not a single value"}},
		{name: "two documents", file: "listen: :1\n---\nlisten: :2\n", want: []string{"F:2: a second document starts here (---); only one is read"}},
		{name: "tab", file: "video:\n\twidth: 640\n", want: []string{"F:2: not YAML: the line is indented with a tab"}},
		{name: "broken second document", file: "listen: :1\n---\n'", want: []string{"F:3: not YAML: found unexpected end of stream"}},
		{name: "second document broken further on", file: "listen: :1\n---\na: b\nc:\n  d: [\n", want: []string{"F:5: not YAML: did not find expected node content"}},
		{name: "binary", file: "\x7fELF\x00\x01", want: []string{"F:1: not YAML: the line has the control character U+007F in it"}},

		{name: "no blank after a colon", file: "video:\n  width:1280\n  height:720\n", want: []string{`F:2: video: a blank is missing after "width:"; did you mean width: 1280?`}},
		{name: "the same with another key", file: "video:\n  width:1280\n  height: 720\n", want: []string{`F:2: not YAML: a blank is missing after "width:"; did you mean width: 1280?`}},
		{name: "the same in braces", file: "video: {width:1280}\n", want: []string{`F:1: video.width: a blank is missing after "width:"; did you mean width: 1280?`}},
		{name: "the same in a file of one line", file: "listen:8080\n", want: []string{`F:1: a blank is missing after "listen:"; did you mean listen: 8080?`}},
		{name: "no blank after the second dash", file: "hosts:\n  - a\n  -b\n", want: []string{`F:3: not YAML: a blank is missing after the "-" of an item`}},
		{name: "no blank after the first dash", file: "hosts:\n  -a\n  - b\n", want: []string{`F:2: hosts: a blank is missing after the "-" of an item`}},
		{name: "a colon in a value", file: "video:\n  camera: Cam: HD\n", want: []string{`F:2: not YAML: the value has ": " in it and no quotes around it; did you mean camera: "Cam: HD"?`}},
		{name: "typographic quotes", file: "video: {camera: “test”}\n", want: []string{`F:1: video.camera: has typographic quotes around it, which YAML takes for a part of the value; did you mean test?`}},
		{name: "a placeholder", file: "listen: ${LISTEN}\n", want: []string{"F:1: listen: is a placeholder, and boardcast fills in none in its settings file"}},
		{name: "UTF-16", file: "l\x00i\x00s\x00t\x00e\x00n\x00:\x00 \x00:\x008\x00\n\x00", want: []string{"F:1: not text in UTF-8, but in UTF-16"}},
		{name: "no-break space", file: "video:\n\u00a0\u00a0width: 640\n", want: []string{
			"F:2: width: unknown key: a character beside it looks like a blank and is none (a no-break space, say); did you mean video.width?",
		}},
		{name: "certificate without key", flags: map[string]string{"tls.cert": "c"}, want: []string{"flag --tls-cert: tls.cert: needs tls.key too"}},
		{name: "key without certificate", file: "tls:\n  key: k\n", want: []string{"F:2: tls.key: needs tls.cert too"}},
		{name: "certificate beside auto", file: "tls: auto\n", flags: map[string]string{"tls.cert": "c", "tls.key": "k"}, want: []string{
			"F:1: tls.mode: auto makes a certificate of its own, and tls.cert names one: leave one of them out",
		}},
		{name: "tls in short, wrong", file: "tls: on\n", want: []string{`F:1: tls.mode: "on" is none of files, auto; did you mean auto?`}},
		{name: "tls as a list", file: "tls: [auto]\n", want: []string{"F:1: tls: is a section with keys below it, not a list; did you mean tls.mode?"}},
		{name: "peer without server", flags: map[string]string{"signalling.peer": "1"}, want: []string{"flag --peer: signalling.peer: needs signalling.server"}},
		{name: "room without server", flags: map[string]string{"signalling.room": "1"}, want: []string{"flag --room: signalling.room: needs signalling.server"}},
		{name: "peer and room", flags: map[string]string{"signalling.room": "1", "signalling.peer": "2", "signalling.server": "ws://s"}, want: []string{
			"flag --peer: signalling.peer: cannot be used together with signalling.room: call one peer or serve a room",
		}},
		{name: "calling oneself", flags: map[string]string{"signalling.id": "2", "signalling.peer": "2", "signalling.server": "ws://s"}, want: []string{"flag --peer: signalling.peer: is this board's own signalling.id"}},
		{name: "authority but insecure", flags: map[string]string{"signalling.ca": "c", "signalling.insecure": "true"}, want: []string{
			"flag --insecure: signalling.insecure: makes signalling.ca useless: leave one of them out",
		}},
		{name: "servers without their secret", file: "ice:\n  turn-rest: [turn://h]\n", want: []string{"F:2: ice.turn-rest: needs ice.turn-secret"}},
		{name: "one port for two things", file: "ice:\n  port: 50000-50015\n  tcp-port: 50003\n", want: []string{
			"F:3: ice.tcp-port: is one of ice.port: those are for one viewer each, this one is for all",
		}},

		{name: "camera with a bad name", file: "cameras:\n  Front door: {}\n", want: []string{`F:2: cameras: "Front door" is not a name of at most 32 lower-case letters, digits and -; did you mean front-door?`}},
		{name: "camera without a name", file: "cameras: {'-': {width: 1}}\n", want: []string{`F:1: cameras: "-" is not a name of at most 32 lower-case letters, digits and -`}},
		{name: "camera that is no word", file: "cameras:\n  [a]: {}\n", want: []string{"F:2: cameras: has a list where a camera's name should be"}},
		{name: "camera twice", file: "cameras:\n  a: {}\n  a: {width: 1}\n", want: []string{"F:3: cameras.a: is set twice, first on line 2"}},
		{name: "camera twice in a list", file: "cameras: [a, b, a]\n", want: []string{`F:1: cameras: has "a" twice`}},
		{name: "key of a camera", file: "cameras:\n  front:\n    widht: 640\n", want: []string{"F:3: cameras.front.widht: unknown key; did you mean cameras.front.width?"}},
		{name: "key of another section in a camera", file: "cameras: {front: {speaker: none}}\n", want: []string{"F:1: cameras.front.speaker: unknown key; did you mean audio.speaker?"}},
		{name: "value of a camera", file: "cameras:\n  front:\n    width: 641\n", want: []string{"F:3: cameras.front.width: 641 is not a multiple of 2; did you mean 640?"}},
		{name: "value where a camera's keys should be", file: "cameras:\n  front: test\n", want: []string{"F:2: cameras.front: is a section with keys below it, not a single value; did you mean front: { camera: test }?"}},
		{name: "unknown section like cameras", file: "camera: {front: {}}\n", want: []string{"F:1: camera: unknown key; did you mean cameras?"}},
		{name: "cameras and a peer", file: "cameras: {a: , b: }\n", flags: map[string]string{"signalling.peer": "1", "signalling.server": "ws://s"}, want: []string{
			"flag --peer: signalling.peer: cannot be used with several cameras: one peer plays one; let them be called instead",
		}},
		{name: "cameras and a room", file: "cameras: [a, b]\n", flags: map[string]string{"signalling.room": "1", "signalling.server": "ws://s"}, want: []string{
			"flag --room: signalling.room: cannot be used with several cameras: they would call one another",
		}},
		{name: "too many cameras", env: []string{"BOARDCAST_CAMERAS=a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"}, want: []string{"env BOARDCAST_CAMERAS: cameras: are 17, at most 16 are served"}},
		{name: "named by flag, with a mistake", flags: map[string]string{"cameras": "a", "cameras.a.camera": "off"}, want: []string{`flag --camera: cameras.a.camera: "off" names no device; did you mean none?`}},

		{
			name: "all at once, also what is overridden", file: "vidoe: {}\nvideo: {width: 641}\n",
			env: []string{"BOARDCAST_X=1", "BOARDCAST_VIDEO_WIDTH=643"}, flags: map[string]string{"video.width": "x"},
			want: []string{
				"F:1: vidoe: unknown key; did you mean video?",
				"F:2: video.width: 641 is not a multiple of 2; did you mean 640?",
				"env BOARDCAST_X: unknown variable",
				"env BOARDCAST_VIDEO_WIDTH: video.width: 643 is not a multiple of 2; did you mean 642?",
				`flag --width: video.width: "x" is not a whole number from 32 to 8192, or 0 = choose for me`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Env: tt.env, Flags: tt.flags}
			if tt.file != "" {
				o.File = write(t, tt.file)
			}
			_, err := Load(o)
			if _, ok := errors.AsType[Problems](err); !ok {
				t.Fatalf("Load = %v, want problems", err)
			}
			got := strings.ReplaceAll(err.Error(), o.File+":", "F:")
			if o.File == "" {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, strings.Split(got, "\n")); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing\n", "null": "~\n", "only dashes": "---\n",
		"section commented out": "video:\n#  width: 1\n", "empty list": "ice: {turn: \"\"}\n",
		"value commented out": "video:\n  width: # 640\nice:\n  turn:\n",
		"byte order mark":     "\ufeff# nothing\n", "the default file": string(Default()),
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(load(t, Options{}), load(t, Options{File: write(t, text)}), ignoreOrigin); diff != "" {
				t.Errorf("differs from the defaults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAliases(t *testing.T) {
	c := load(t, Options{File: write(t, "video: {width: &w 640, height: *w}\nsignalling: {origins: [&o https://a, *o]}\n")})
	if c.Video.Height != 640 || len(c.Signalling.Origins) != 2 || c.Signalling.Origins[1] != "https://a" {
		t.Errorf("height %d, origins %q", c.Video.Height, c.Signalling.Origins)
	}
	_, err := Load(Options{File: write(t, "video: &v\n  width: *v\n")})
	if want := ":2: video.width: takes one value, not further keys"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("Load = %v, want ...%s", err, want)
	}
}

func TestHints(t *testing.T) {
	for name, o := range map[string]Options{
		"unknown key":      {File: write(t, "widht: 1\n")},
		"unknown variable": {Env: []string{"BOARDCAST_X=1"}},
		"not YAML":         {File: write(t, "a: b: c\n")},
		"a list":           {File: write(t, "- a\n")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(o)
			var p *Problem
			if !errors.As(err, &p) || !strings.Contains(p.Hint(), "boardcast config --default") {
				t.Errorf("Load = %v, want a hint at the default file", err)
			}
		})
	}
}
