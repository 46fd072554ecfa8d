package configs

import (
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write makes a settings file in a new directory and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, o Options) *Config {
	t.Helper()
	c, err := Load(o)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	got := load(t, Options{})
	want := &Config{
		Page:       Page{Listen: ":8080", Hosts: []string{}, TrustedProxies: []netip.Prefix{}, Embed: []string{}, TLS: TLS{Mode: TLSFiles}},
		Signalling: Signalling{Origins: []string{}},
		Video:      Video{Camera: Auto, Codec: Auto, Encoder: Auto, Framerate: 30, Adaptive: true, MinBitrate: 150_000, Rendition: Auto},
		Audio:      Audio{Microphone: Auto, Speaker: Auto, Bitrate: 64_000},
		ICE: ICE{
			TURN: []URL{}, TURNRest: []URL{}, TURNLifetime: 24 * time.Hour, Addresses: []netip.Addr{}, Interfaces: []string{}, LeaveOut: []string{},
		},
		Viewers: Viewers{Max: 16, Grace: 5 * time.Second},
		Log:     Log{Level: slog.LevelInfo, Format: LogText},
	}
	want.Cameras = []Camera{{Video: want.Video, Microphone: Auto}}
	if diff := cmp.Diff(want, got, ignoreOrigin); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	for _, k := range Keys() {
		if s := got.Source(k.Name); s.String() != "default" {
			t.Errorf("source of %s = %q, want default", k.Name, s)
		}
	}
}

// ignoreOrigin leaves out what Config remembers beside the settings.
var ignoreOrigin = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().String() == ".origin"
}, cmp.Ignore())

// samples are three valid values of each key, none the default, as they read in
// Setting.Text.
var samples = map[string][3]string{
	"listen":                    {":1", "127.0.0.1:0", "[::1]:8443"},
	"hosts":                     {"cam.lan", "a.example,b", "*"},
	"open":                      {"true", "false", "true"},
	"embed":                     {"https://ha.example:8123", "https://a.example,http://b.example", "*"},
	"display":                   {"true", "false", "true"},
	"video.adaptive":            {"false", "true", "false"},
	"trusted-proxies":           {"10.0.0.0/8", "127.0.0.1/32,fd00::/8", "::1/128"},
	"tls.mode":                  {Auto, TLSFiles, Auto},
	"tls.cert":                  {"a.pem", "/b c.pem", "ü.pem"},
	"tls.key":                   {"a.key", "/b c.key", "ü.key"},
	"signalling.server":         {"ws://a:1", "wss://b/path", "wss://[::1]:8443"},
	"signalling.peer":           {"1", "0123", "相机"},
	"signalling.id":             {"2", "front-door", "x"},
	"signalling.room":           {"r1", "r2", "r3"},
	"signalling.remote-offerer": {"true", "false", "true"},
	"signalling.insecure":       {"true", "false", "true"},
	"signalling.ca":             {"1.pem", "2.pem", "3.pem"},
	"signalling.origins":        {"https://a.example", "https://a.example,http://b.example:81", "*"},
	"whip.url":                  {"https://a.example/whip", "http://[::1]:8889/x/whip", "https://b/live?key=***"},
	"whip.token":                {"***", "***", "***"},
	"video.camera":              {Test, None, "/dev/video0"},
	"video.codec":               {CodecH264, CodecVP8, Auto},
	"video.encoder":             {"x264enc", "v4l2h264enc", "vp8enc"},
	"video.width":               {"640", "32", "8192"},
	"video.height":              {"480", "32", "8192"},
	"video.framerate":           {"1", "120", "15"},
	"video.bitrate":             {"50k", "2.5M", "1234567"},
	"video.min-bitrate":         {"50k", "1M", "300k"},
	"video.rendition":           {None, Auto, None},
	"audio.microphone":          {Test, None, "hw:CARD=Camera,DEV=0"},
	"audio.speaker":             {None, "Desk speaker", "plughw:1"},
	"audio.bitrate":             {"6k", "510k", "32k"},
	"cameras":                   {"front", "front,rear", "a-1,b"},
	"ice.stun":                  {"stun://a:1", "stun://[::1]:3478", "stun://b.example:3478"},
	"ice.turn":                  {"turn://u:***@a:3478", "turns://u:***@a:5349", "turn://u:***@a:1?transport=tcp,turn://v:***@b:2"},
	"ice.turn-rest":             {"turn://a:3478", "turns://a:5349", "turn://a:1?transport=tcp,turn://b:2"},
	"ice.turn-secret":           {"***", "***", "***"},
	"ice.turn-lifetime":         {"10s", "168h", "1h30m"},
	"ice.port":                  {"50000", "50000-50015", "1-65535"},
	"ice.tcp-port":              {"1", "65535", "8081"},
	"ice.addresses":             {"203.0.113.7", "203.0.113.7,2001:db8::7", "192.168.1.5"},
	"ice.interfaces":            {"eth0", "eth*,wlan0", "en*"},
	"ice.leave-out":             {"wg0", "wg*,br-*", "docker0"},
	"viewers.max":               {"1", "1000", "2"},
	"viewers.grace":             {"0s", "1h", "1m30s"},
	"log.level":                 {"debug", "warn", "error"},
	"log.format":                {LogJSON, LogText, LogJSON},
}

// neededBy is what must be given too for a key to make sense.
var neededBy = map[string]map[string]string{
	"tls.cert":        {"tls.key": "k"},
	"tls.key":         {"tls.cert": "c"},
	"signalling.peer": {"signalling.server": "wss://s"},
	"signalling.room": {"signalling.server": "wss://s"},
	"whip.token":      {"whip.url": "https://w"},
	"ice.turn-rest":   {"ice.turn-secret": "s"},
}

// TestPrecedence sets each key in each combination of the places and looks for
// the value and the source of the highest one.
func TestPrecedence(t *testing.T) {
	for _, k := range Keys() {
		t.Run(k.Name, func(t *testing.T) {
			values, ok := samples[k.Name]
			if !ok {
				t.Fatal("no samples for this key")
			}
			for mask := range 8 {
				precedence(t, k, values, mask)
			}
		})
	}
}

func precedence(t *testing.T, k Key, values [3]string, mask int) {
	t.Helper()
	o := Options{Flags: map[string]string{}}
	if mask != 0 {
		maps.Copy(o.Flags, neededBy[k.Name])
	}
	given := func(i int) string { return strings.ReplaceAll(values[i], masked, "secret") }
	want, from := k.Default(), "default"
	if mask&1 != 0 {
		section, last, nested := strings.Cut(k.Name, ".")
		text := section + ": " + quote(k, given(0))
		if nested {
			text = section + ":\n  " + last + ": " + quote(k, given(0))
		}
		o.File = write(t, "# settings\n"+text+"\n")
		want, from = values[0], "file "+o.File+":2"
		if nested {
			from = "file " + o.File + ":3"
		}
	}
	if mask&2 != 0 {
		o.Env = []string{k.Env() + "=" + given(1)}
		want, from = values[1], "env "+k.Env()
	}
	if mask&4 != 0 && k.Flag != "" {
		o.Flags[k.Name] = given(2)
		want, from = values[2], "flag --"+k.Flag
	}
	c := load(t, o)
	for _, s := range c.Settings() {
		if s.Key == k.Name && (s.Text() != want || s.Source.String() != from) {
			t.Errorf("places %03b: %s from %s, want %s from %s", mask, s.Text(), s.Source, want, from)
		}
	}
	if got := c.Source(k.Name).String(); got != from {
		t.Errorf("places %03b: Source = %s, want %s", mask, got, from)
	}
}

func quote(k Key, text string) string {
	if k.List {
		return `["` + strings.ReplaceAll(text, ",", `", "`) + `"]`
	}
	return `"` + text + `"`
}

func TestValuesReachTheConfig(t *testing.T) {
	c := load(t, Options{
		File: write(t, "video: {width: 640, bitrate: 1500k}\nviewers:\n  grace: 1m30s\nice:\n"+
			"  turn:\n    - turn://u:p%40q@a\n    - turns://u:p@b:1?transport=tcp\n"),
		Env:   []string{"BOARDCAST_LOG_LEVEL=warn", "BOARDCAST_VIDEO_HEIGHT=480", "HOME=/"},
		Flags: map[string]string{"signalling.remote-offerer": "true", "signalling.origins": "https://A.example, *"},
	})
	want := load(t, Options{})
	want.Video.Width, want.Video.Height, want.Video.Bitrate = 640, 480, 1_500_000
	want.Cameras[0].Video = want.Video
	want.Viewers.Grace = 90 * time.Second
	want.ICE.TURN = []URL{{"turn://u:p%40q@a:3478"}, {"turns://u:p@b:1?transport=tcp"}}
	want.Log.Level = slog.LevelWarn
	want.Signalling.RemoteOfferer = true
	want.Signalling.Origins = []string{"https://a.example", "*"}
	if diff := cmp.Diff(want, c, ignoreOrigin); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestWhereTheFileIsFound(t *testing.T) {
	here, there, empty := t.TempDir(), t.TempDir(), t.TempDir()
	for dir, width := range map[string]string{here: "640", there: "800"} {
		if err := os.WriteFile(filepath.Join(dir, FileName), []byte("video: {width: "+width+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	named := write(t, "video: {width: 1024}")
	tests := []struct {
		name    string
		options Options
		want    int
		file    string
	}{
		{"nowhere", Options{Dirs: []string{empty}}, 0, ""},
		{"first directory", Options{Dirs: []string{here, there}}, 640, filepath.Join(here, FileName)},
		{"second directory", Options{Dirs: []string{empty, there}}, 800, filepath.Join(there, FileName)},
		{"named", Options{File: named, Dirs: []string{here}}, 1024, named},
		{"by variable", Options{Env: []string{"BOARDCAST_CONFIG=" + named}, Dirs: []string{here}}, 1024, named},
		{"flag over variable", Options{File: named, Env: []string{"BOARDCAST_CONFIG=/nowhere"}}, 1024, named},
		{"no directory", Options{Dirs: []string{filepath.Join(empty, "none")}}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, tt.options)
			if c.Video.Width != tt.want || c.File() != tt.file {
				t.Errorf("width %d from %q, want %d from %q", c.Video.Width, c.File(), tt.want, tt.file)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, FileName)
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	large := write(t, strings.Repeat("# much\n", largestFile/6))
	tests := []struct {
		name    string
		options Options
		want    string
	}{
		{"missing", Options{File: filepath.Join(dir, "no.yaml")}, "read settings: open " + dir + "/no.yaml: no such file or directory"},
		{"missing, by variable", Options{Env: []string{"BOARDCAST_CONFIG=/no.yaml"}}, "read settings: open /no.yaml: no such file or directory"},
		{"directory", Options{File: dir}, "read settings: " + dir + " is a directory, not a file"},
		{"found but not readable", Options{Dirs: []string{dir}}, "look for settings: stat " + loop + ": too many levels of symbolic links"},
		{"too large", Options{File: large}, "read settings: " + large + " is larger than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.options)
			var problems Problems
			if err == nil || err.Error() != tt.want || errors.As(err, &problems) {
				t.Errorf("Load = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestVariablesThatAreNotOurs(t *testing.T) {
	c := load(t, Options{Env: []string{
		"BOARDCASTER=1", "VIDEO_WIDTH=7", "BOARDCAST_VIDEO_WIDTH=", "BOARDCAST_NOTHING=",
		"BOARDCAST_SERVICE_HOST=10.0.0.1", "BOARDCAST_SERVICE_PORT=80", "BOARDCAST_SERVICE_PORT_HTTP=80",
		"BOARDCAST_PORT=tcp://10.0.0.1:80", "BOARDCAST_PORT_80_TCP_ADDR=10.0.0.1",
	}})
	if s := c.Source("video.width"); s.Layer != LayerDefault {
		t.Errorf("source of video.width = %s, want default", s)
	}
}
