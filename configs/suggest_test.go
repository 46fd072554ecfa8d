package configs

import (
	"errors"
	"strings"
	"testing"
)

// TestSuggest gives names that no flag has. What is wanted are the flags as
// --NAME, a key where it has no flag, and the beginning of an advice after "/".
// Empty: no hint, for a wrong one is worse.
func TestSuggest(t *testing.T) {
	tests := map[string]string{
		// by meaning
		"fps": "--framerate", "frame-rate": "--framerate", "resolution": "--width --height", "size": "--width --height",
		"port": "--listen :PORT /the port is part of listen", "bind": "--listen", "address": "--listen", "ip": "--listen",
		"password": "/boardcast makes its keys itself", "user": "/boardcast makes its keys itself", "auth": "/boardcast makes its keys itself",
		"record": "/boardcast does not record", "snapshot": "/boardcast does not record", "rotate": "/boardcast does not turn",
		"flip": "/boardcast does not turn", "hflip": "/boardcast does not turn", "brightness": "/boardcast does not change the camera",
		"volume": "/boardcast does not change the volume", "rtsp": "/boardcast streams by WebRTC", "daemon": "/boardcast stays in the foreground",
		"https": "--tls-cert --tls-key", "tls": "--tls", "ssl": "--tls-cert --tls-key", "device": "--camera", "input": "--camera",
		"mic": "--microphone", "audio-device": "--microphone", "no-audio": "--microphone none", "mute": "--microphone none",
		"no-video": "--camera none", "test": "--camera test", "audio-output": "--speaker", "audio-bitrate": "audio.bitrate",
		"open": "--open", "no-auth": "--open", "no-password": "--open", "peer-id": "--peer", "our-id": "--id", "stun-server": "--stun", "turn-server": "--turn", "ice-servers": "--stun --turn",
		"turn-password": "--turn /user and password are part", "max-viewers": "viewers.max", "verbose": "--log-level", "log": "--log-level",
		"debug": "--log-level", "cors": "signalling.origins", "token": "whip.token", "hwaccel": "--encoder /auto takes",
		"list-devices": "/`boardcast devices`", "cert": "--tls-cert", "acodec": "/the sound is always sent as Opus", "trace": "--log-level", "ice-port": "ice.port", "udp-port": "ice.port", "public-ip": "ice.addresses", "turn-shared-secret": "ice.turn-secret", "cacert": "--ca",
		// by spelling
		"widht": "--width", "lissten": "--listen", "framrate": "--framerate", "frame_rate": "--framerate", "Camera": "--camera", "heigth": "--height",
		"microfone": "--microphone", "bitrat": "--bitrate", "codecs": "/`boardcast encoders`", "remoteOfferer": "--remote-offerer", "loglevel": "--log-level",
		"hosts": "--host", "hots": "--host", "encodr": "--encoder", "video-width": "--width", "signalling-server": "--server", "enc": "--encoder", "micro": "--microphone",
		// neither: other words, each of which has a flag a few letters away
		"url": "", "output": "", "loop": "", "hint": "", "peek": "", "post": "", "weird": "", "time": "", "quality": "", "preset": "",
		"delay": "", "latency": "", "buffer": "", "format": "", "profile": "", "gop": "", "keyint": "", "threads": "", "title": "", "text": "",
		"overlay": "", "timestamp": "", "motion": "", "x": "", "p": "", "xyz": "", "h": "", "foo": "", "bar": "", "type": "", "mode": "",
		"samplerate": "", "channels": "", "stereo": "", "cmd": "", "pin": "", "browser": "", "name": "", "width2height": "",
	}
	for word, want := range tests {
		s := Suggest(word)
		got := strings.ReplaceAll(s.As(func(k Key, value string) string {
			name := k.Name
			if k.Flag != "" {
				name = "--" + k.Flag
			}
			return strings.TrimSpace(name + " " + value)
		}), " and ", " ")
		if s.Advice != "" {
			got = strings.TrimSpace(got + " /" + s.Advice)
		}
		_, advised, _ := strings.Cut(want, "/")
		if got != want && (advised == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("--%s: %q, want %q", word, got, want)
		}
	}
	t.Logf("unknown names: %d", len(tests))
}

// TestSuggestForKeysAndVariables does so for names in a file and in the
// environment, which have sections.
func TestSuggestForKeysAndVariables(t *testing.T) {
	tests := []struct{ name, file, env string }{
		{"video.fps", "video.framerate", "BOARDCAST_VIDEO_FRAMERATE"},
		{"video.size", "video.width and video.height", "BOARDCAST_VIDEO_WIDTH and BOARDCAST_VIDEO_HEIGHT"},
		{"video.Width", "video.width", "BOARDCAST_VIDEO_WIDTH"},
		{"vidoe.width", "video.width", "BOARDCAST_VIDEO_WIDTH"},
		{"signaling.server", "signalling.server", "BOARDCAST_SIGNALLING_SERVER"},
		{"signalling.remoteOfferer", "signalling.remote-offerer", "BOARDCAST_SIGNALLING_REMOTE_OFFERER"},
		{"audio.device", "audio.microphone", "BOARDCAST_AUDIO_MICROPHONE"},
		{"audio.output", "audio.speaker", "BOARDCAST_AUDIO_SPEAKER"},
		{"video.speaker", "audio.speaker", "BOARDCAST_AUDIO_SPEAKER"},
		{"video.test", "video.camera: test", "BOARDCAST_VIDEO_CAMERA=test"},
		{"ice.username", "ice.turn", "BOARDCAST_ICE_TURN"},
		{"whip.password", "whip.token", "BOARDCAST_WHIP_TOKEN"},
		{"audio.codec", "", ""},
		{"audio.enabled", "audio.microphone", "BOARDCAST_AUDIO_MICROPHONE"},
		{"viewers.maximum", "", ""},
		{"video.format", "", ""},
		{"audio.level", "", ""},
		{"log.url", "", ""},
		{"video.quality", "", ""},
		{"ice.ports", "ice.port", "BOARDCAST_ICE_PORT"},
		{"ice.secret", "ice.turn-secret", "BOARDCAST_ICE_TURN_SECRET"},
		{"signalling.port", "", ""},
		{"width", "video.width", "BOARDCAST_VIDEO_WIDTH"},
		{"password", "", ""},
	}
	for _, tt := range tests {
		if got := suggestKey(tt.name).As(inFile); got != tt.file {
			t.Errorf("%s in a file: %q, want %q", tt.name, got, tt.file)
		}
		name := strings.ToUpper(strings.ReplaceAll(hyphenated(tt.name), ".", "_"))
		if got := suggestJoined(strings.ReplaceAll(name, "-", "_")).As(inEnv); got != tt.env {
			t.Errorf("%s%s: %q, want %q", envPrefix, name, got, tt.env)
		}
	}
	if got := suggestKey("cameras.front.fps").As(inFile); got != "cameras.front.framerate" {
		t.Errorf("a camera's key: %q", got)
	}
	_, err := Load(Options{File: write(t, "auth: {user: me}\n")})
	if p, ok := errors.AsType[*Problem](err); !ok || p.Hint() != noLogin {
		t.Errorf("a section for a login: %v", err)
	}
	if advice := suggestKey("signalling.port").Advice; advice != portInURL {
		t.Errorf("signalling.port: %q", advice)
	}
}

// TestMeaningsAreWhole holds the tables of words to the table of settings.
func TestMeaningsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range meanings {
		for _, word := range m.words {
			if seen[word] {
				t.Errorf("%q has two meanings", word)
			}
			seen[word] = true
			if _, known := byName(word); known || hyphenated(word) != word {
				t.Errorf("%q is a name of ours, or is not written as one", word)
			}
		}
		for _, name := range m.keys {
			if k, ok := lookup(name); !ok || m.value == None && k.Kind != KindDevice {
				t.Errorf("%q means %s, which is no such key", m.words, name)
			}
		}
		if len(m.keys) == 0 && m.advice == "" || m.value != "" && len(m.keys) != 1 {
			t.Errorf("%q means nothing", m.words)
		}
	}
	for key, words := range wordMeanings {
		k, _ := lookup(key)
		for word, means := range words {
			if _, f := parsers[k.Kind](k, means); f != nil {
				t.Errorf("%s: %q means %q: %s", key, word, means, f.reason)
			}
			if _, f := parsers[k.Kind](k, word); f == nil || f.nearest != means {
				t.Errorf("%s: %q is not answered with %q: %+v", key, word, means, f)
			}
		}
	}
	for _, section := range sectionMeanings {
		if _, key := byName(section); nearestSection(section) != section && !key {
			t.Errorf("%q is no section", section)
		}
	}
}
