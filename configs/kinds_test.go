package configs

import (
	"strings"
	"testing"
	"time"
)

// cases are texts per key, with the value they have, or the nearest valid one
// after a question mark. They seed the fuzzing too.
var cases = []struct{ key, text, want string }{
	{"video.bitrate", "0", "0"},
	{"video.bitrate", "50000", "50k"},
	{"video.bitrate", "1500k", "1.5M"},
	{"video.bitrate", "1500K", "1.5M"},
	{"video.bitrate", "2.3M", "2.3M"},
	{"video.bitrate", "1.0000004M", "? 1M"},
	{"video.bitrate", "1.234567M", "1234567"},
	{"video.bitrate", "64.5k", "64500"},
	{"video.bitrate", "64.001k", "64001"}, // times 1000, floating point is off
	{"video.bitrate", "2m", "? 2M"},
	{"video.bitrate", "2Mbps", "? 2M"},
	{"video.bitrate", " 800 kbit/s", "? 800k"},
	{"video.bitrate", "1G", "? 100M"},
	{"video.bitrate", "1e6", "? 1M"},
	{"video.bitrate", "50000.5", "? 50001"},
	{"video.bitrate", "0.3", "? 50k"},
	{"video.bitrate", "-1", "? 0"},
	{"video.bitrate", "NaN", "?"},
	{"video.bitrate", "", "?"},
	{"audio.bitrate", "0", "? 6k"},
	{"audio.bitrate", "64", "? 64k"}, // kbit/s, as other programs have it
	{"video.bitrate", "2000", "? 2M"},
	{"video.bitrate", "5", "? 5M"},
	{"video.bitrate", "2_000_000", "? 2M"},
	{"video.bitrate", "2,000,000", "? 2M"},
	{"video.bitrate", "2 000 000 bit/s", "?"},
	{"video.bitrate", "2e6", "? 2M"},
	{"video.bitrate", "2.5e6 bps", "? 2.5M"},
	{"video.bitrate", "2 mbit", "? 2M"},
	{"video.bitrate", "2MB/s", "?"}, // bytes or bits: nobody knows
	{"video.bitrate", "2 apples", "?"},
	{"audio.bitrate", "fast", "?"},

	{"video.width", "640", "640"},
	{"video.width", "+640", "640"},
	{"video.width", "0640", "640"},
	{"video.width", "0", "0"},
	{"video.width", "8193", "? 8192"},
	{"video.width", "33", "? 32"},
	{"video.width", "0x280", "?"},
	{"video.width", "640.4", "? 640"},
	{"video.width", "641.6", "? 642"},
	{"video.width", "1e400", "? 8192"},
	{"video.width", "inf", "?"},
	{"video.width", "1_280", "? 1280"},
	{"video.width", "1920x1080", "? 1920"},
	{"video.height", "1920x1080", "? 1080"},
	{"video.height", "1080p", "? 1080"},
	{"video.height", "full", "?"},
	{"video.framerate", "0", "? 1"},
	{"video.framerate", "29.97", "? 30"},
	{"video.framerate", "60fps", "? 60"},

	{"viewers.grace", "0", "0s"},
	{"viewers.grace", "1.5s", "1.5s"},
	{"viewers.grace", "60m", "1h"},
	{"viewers.grace", "2h", "? 1h"},
	{"viewers.grace", "-1s", "? 0s"},
	{"viewers.grace", "5 seconds", "? 5s"},
	{"viewers.grace", "3 MIN", "? 3m"},
	{"viewers.grace", "500msec", "? 500ms"},
	{"viewers.grace", "1.2.3s", "?"},
	{"viewers.grace", "soon", "?"},
	{"viewers.grace", "2 fortnights", "?"},

	{"display", "Yes", "true"},
	{"display", "0", "false"},
	{"display", "flase", "? false"},
	{"display", "enabled", "? true"},
	{"display", "never", "? false"},
	{"display", "maybe", "?"},

	{"video.codec", "vp9", "? vp8"},
	{"video.codec", "H264", "? h264"},
	{"video.codec", "hevc", "? h264"},
	{"video.codec", "fast", "?"},
	{"log.format", "jason", "? json"},
	{"log.format", "xml", "?"},
	{"log.level", "trace", "? debug"},
	{"log.level", "warrn", "? warn"},
	{"log.level", "loud", "?"},
	{"log.level", "warning", "? warn"},

	{"video.camera", "/dev/v4l/by-id/usb-Cam-video-index0", "/dev/v4l/by-id/usb-Cam-video-index0"},
	{"video.camera", "HD Pro Webcam", "HD Pro Webcam"},
	{"video.camera", "Auto", "? auto"},
	{"video.camera", "None", "? none"},
	{"video.camera", "FALSE", "? none"},
	{"video.camera", " ", "? auto"},
	{"video.camera", "a\nb", "?"},
	{"video.camera", "\xff", "?"},
	{"video.camera", strings.Repeat("x", 4097), "?"},
	{"video.encoder", "X264enc ", "? x264enc"},
	{"video.encoder", "x264enc ! fakesink", "?"},

	{"signalling.peer", "", ""},
	{"signalling.peer", "{\"x\"}", "{\"x\"}"},
	{"signalling.peer", " a\tb\u00a0c ", "? a-b-c"},
	{"signalling.peer", "a\x1cb", "?"},
	{"signalling.peer", strings.Repeat("x", 257), "?"},
	{"signalling.peer", "session", "session"},
	{"tls.cert", "a\x00b", "?"},
	{"tls.mode", "auto", "auto"},
	{"tls.mode", "Auto", "? auto"},
	{"tls.mode", "on", "? auto"},
	{"tls.mode", "off", "? files"},
	{"tls.mode", "letsencrypt", "? auto"},
	{"tls.mode", "1.3", "?"},
	{"trusted-proxies", "127.0.0.1", "127.0.0.1/32"},
	{"trusted-proxies", "[::1]", "::1/128"},
	{"trusted-proxies", "::ffff:10.0.0.1", "10.0.0.1/32"},
	{"trusted-proxies", "10.0.0.0/24", "10.0.0.0/24"},
	{"trusted-proxies", "10.0.0.7/24", "? 10.0.0.0/24"},
	{"trusted-proxies", "localhost", "? 127.0.0.1/32"},
	{"trusted-proxies", "0.0.0.0/0", "?"},
	{"trusted-proxies", "::/0", "?"},
	{"trusted-proxies", "*", "?"},
	{"trusted-proxies", "10.0.0.0/33", "?"},
	{"trusted-proxies", "proxy.example", "?"},
	{"trusted-proxies", "", "?"},

	{"listen", "0.0.0.0:0", "0.0.0.0:0"},
	{"listen", "[fe80::1%eth0]:80", "[fe80::1%eth0]:80"},
	{"listen", "board.local:65535", "board.local:65535"},
	{"listen", "8080", "? :8080"},
	{"listen", "192.168.1.5", "? 192.168.1.5:8080"},
	{"listen", "::1", "? [::1]:8080"},
	{"listen", "[::1]", "? [::1]:8080"},
	{"listen", "http://0.0.0.0:80/", "? 0.0.0.0:80"},
	{"listen", "localhost:", "? localhost:8080"},
	{"listen", ":http", "?"},
	{"listen", ":65536", "?"},
	{"listen", "a b:80", "?"},
	{"listen", "a/b:80", "?"},
	{"listen", "", "? :8080"},

	{"signalling.server", "wss://host", "wss://host"},
	{"signalling.server", "ws://host:80/a?x=1", "ws://host:80/a?x=***"},
	{"signalling.server", "host:8443", "? wss://host:8443"},
	{"signalling.server", "https://host/ws", "? wss://host/ws"},
	{"signalling.server", "HTTP://host", "? ws://host"},
	{"signalling.server", "wsss://host", "? wss://host"},
	{"signalling.server", "wss:/host", "? wss://host"},
	{"signalling.server", "rtsp://host", "?"},
	{"signalling.server", "wss://u@host", "?"},
	{"signalling.server", "https://u:p@host", "? wss://u:***@host"},
	{"signalling.server", "wss://u:p@host", "wss://u:***@host"},
	{"signalling.server", "wss://", "?"},
	{"signalling.server", "wss://host#x", "?"},
	{"signalling.server", "wss://host:0", "?"},
	{"signalling.server", "wss://host:", "?"},

	{"ice.stun", "stun://host", "stun://host:3478"},
	{"ice.stun", "stun://[::1]", "stun://[::1]:3478"},
	{"ice.stun", "stun:stun.example.org:19302", "? stun://stun.example.org:19302"},
	{"ice.stun", "stun.example.org:19302", "? stun://stun.example.org:19302"},
	{"ice.stun", "stun://host:1/", "stun://host:1"},
	{"ice.stun", "stun://host:1/x", "?"},
	{"ice.stun", "stun://host?transport=udp", "?"},
	{"ice.stun", "stun://ho st", "?"},

	{"ice.turn", "turn://u:p@h", "turn://u:***@h:3478"},
	{"ice.turn", "turns://u:p@h", "turns://u:***@h:5349"},
	{"ice.turn", "turn://u%3Ax:p%40@h:1?transport=tcp", "turn://u%3Ax:***@h:1?transport=tcp"},
	{"ice.turn", "turn:u:p@h", "? turn://u:***@h:3478"},
	{"ice.turn", "tunr://u:p@h", "? turn://u:***@h:3478"},
	{"ice.turn", "turns://u:p@h?transport=udp", "? turns://u:***@h:5349"},
	{"ice.turn", "turn://h:3478", "?"},
	{"ice.turn", "turn://u@h:3478", "?"},
	{"ice.turn", "turn://1700000000:bob:pw@h", "?"},
	{"ice.turn", "turn://u:p@q@h", "?"},
	{"ice.turn", "turn://u:p/q@h", "?"},
	{"ice.turn", "turn://u:p#q@h", "?"},
	{"ice.turn", "turn://u:p@h?transport=sctp", "?"},
	{"ice.turn", "turn://u:p@h?transport=tcp&x=y", "?"},
	{"ice.turn", "", "?"},

	{"ice.turn-rest", "turn://h", "turn://h:3478"},
	{"ice.turn-rest", "turns://h?transport=tcp", "turns://h:5349?transport=tcp"},
	{"ice.turn-rest", "turn:h:3478?transport=udp", "? turn://h:3478?transport=udp"},
	{"ice.turn-rest", "turn://u:p@h", "?"},
	{"ice.turn-rest", "turn://h/x", "?"},
	{"ice.turn-secret", "a secret", "?"},

	{"ice.port", "", ""},
	{"ice.port", "50000", "50000"},
	{"ice.port", "50000-50015", "50000-50015"},
	{"ice.port", "50000-50000", "50000"},
	{"ice.port", "050000", "50000"},
	{"ice.port", "50000 - 50015", "? 50000-50015"},
	{"ice.port", "50000:50015", "? 50000-50015"},
	{"ice.port", "50000..50015", "? 50000-50015"},
	{"ice.port", "50000-50015/udp", "? 50000-50015"},
	{"ice.port", ":50000", "? 50000"},
	{"ice.port", "50015-50000", "? 50000-50015"},
	{"ice.port", "0", "?"},
	{"ice.port", "50000-70000", "?"},
	{"ice.port", "1-2-3", "?"},
	{"ice.port", "any", "?"},
	{"ice.tcp-port", "0", "0"},
	{"ice.tcp-port", "65536", "? 65535"},
	{"ice.addresses", "203.0.113.7", "203.0.113.7"},
	{"ice.addresses", "::ffff:203.0.113.7", "203.0.113.7"},
	{"ice.addresses", "2001:DB8::7", "2001:db8::7"},
	{"ice.addresses", "[2001:db8::7]:80", "? 2001:db8::7"},
	{"ice.addresses", "203.0.113.7:50000", "? 203.0.113.7"},
	{"ice.addresses", "https://203.0.113.7/", "? 203.0.113.7"},
	{"ice.addresses", "203.0.113.7/24", "? 203.0.113.7"},
	{"ice.addresses", "cam.example.org", "?"},
	{"ice.addresses", "127.0.0.1", "?"},
	{"ice.addresses", "0.0.0.0", "?"},
	{"ice.addresses", "224.0.0.1", "?"},
	{"ice.addresses", "fe80::1%eth0", "?"},
	{"ice.interfaces", "eth0", "eth0"},
	{"ice.leave-out", "br-*", "br-*"},
	{"ice.interfaces", "!wg0", "?"},
	{"ice.interfaces", "-wg0", "?"},
	{"ice.interfaces", "wg[", "?"},
	{"ice.interfaces", "-", "?"},
	{"ice.interfaces", "192.168.1.0/24", "?"},

	{"hosts", "*", "*"},
	{"hosts", "Cam.Example.ORG.", "cam.example.org"},
	{"hosts", "my_board.board-2", "my_board.board-2"},
	{"hosts", "https://cam.lan:8443/x", "? cam.lan"},
	{"hosts", "cam.lan:8080", "? cam.lan"},
	{"hosts", "-cam", "?"},
	{"hosts", "cam..lan", "?"},
	{"hosts", strings.Repeat("a", 254), "?"},
	{"signalling.origins", "*", "*"},
	{"signalling.origins", "HTTPS://Host:81", "https://host:81"},
	{"signalling.origins", "https://host/", "https://host"},
	{"signalling.origins", "host", "? https://host"},
	{"signalling.origins", "https://host/page", "?"},
}

func TestValues(t *testing.T) {
	for _, tt := range cases {
		t.Run(tt.key+" "+tt.text[:min(len(tt.text), 40)], func(t *testing.T) {
			k, _ := lookup(tt.key)
			v, fault := parsers[k.Kind](k, tt.text)
			var got string
			if fault != nil {
				got = strings.TrimSpace("? " + fault.nearest)
			} else {
				got = Setting{Key: tt.key, Value: plain(v)}.Text()
			}
			if got != tt.want {
				t.Errorf("%s %q = %s, want %s (%+v)", tt.key, tt.text, got, tt.want, fault)
			}
		})
	}
}

// FuzzValue holds every parser to two promises: what it suggests is valid, and
// what it accepts survives being printed and read again.
func FuzzValue(f *testing.F) {
	for _, tt := range cases {
		f.Add(tt.key, tt.text)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		k, ok := lookup(key)
		if !ok {
			return
		}
		v, fault := parsers[k.Kind](k, text)
		if fault != nil {
			if _, again := parsers[k.Kind](k, fault.nearest); again != nil && fault.nearest != "" {
				t.Errorf("%s %q: suggests %q, but: %s", key, text, fault.nearest, again.reason)
			}
			return
		}
		printed := Setting{Key: key, Value: plain(v)}.Text()
		if u, isURL := v.(URL); isURL {
			printed = u.Full()
		}
		if w, again := parsers[k.Kind](k, printed); again != nil || w != v {
			t.Errorf("%s %q = %v, but its print %q = %v, %v", key, text, v, printed, w, again)
		}
	})
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", time.Hour: "1h", time.Hour + time.Second: "1h0m1s",
		90 * time.Minute: "1h30m", 10 * time.Second: "10s", 10 * time.Minute: "10m", 20 * time.Hour: "20h",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("shortDuration(%v) = %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(want); err != nil || back != d {
			t.Errorf("%s reads as %v, %v", want, back, err)
		}
	}
}

func TestNearest(t *testing.T) {
	tests := []struct{ word, want string }{
		{"widht", "width"}, // two swapped count as one
		{"WIDTH", "width"},
		{"remote_offerer", "remote-offerer"},
		{"remot-ofersr", "remote-offerer"}, // three in fourteen letters
		{"hei", "height"},                  // begins only one of them
		{"he", ""},                         // too short to say
		{"dth", ""},                        // too short for a mistake
		{"widt", "width"},
		{"eighty", ""}, // two mistakes in six letters: another word
		{"", ""},
		{strings.Repeat("width", 1e6), ""},
	}
	for _, tt := range tests {
		if got := Nearest(tt.word, []string{"width", "height", "remote-offerer"}); got != tt.want {
			t.Errorf("Nearest(%.20q) = %s, want %s", tt.word, got, tt.want)
		}
	}
	if got := Nearest("log", []string{"log-level", "log-format"}); got != "" {
		t.Errorf("Nearest of what begins two = %q", got)
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("Nearest among none = %q", got)
	}
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "ab", 2},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
		{"abcd", "acbd", 1},
		{"Abc", "aBC", 0},
		{"ä", "a", 1},
		{"ca", "abc", 3},
		{strings.Repeat("a", 100), strings.Repeat("a", 200), 0}, // only so much is compared
	}
	for _, tt := range tests {
		if got, back := distance(tt.a, tt.b), distance(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("distance(%q, %q) = %d and back %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}
