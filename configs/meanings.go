package configs

// meaning is what people want when they write one of its words. keys is set, or
// advice, or both.
type meaning struct {
	// words are written as flags are: in lower case with hyphens. A word with a
	// dot in front of it counts in that section only, such as ice.password.
	words []string
	keys  []string // the keys to set
	// value is what to set the key to, where that is the point of the word.
	value string
	// advice is a remedy in one line: what to do where no setting does it.
	advice string
}

const (
	noLogin = "boardcast makes its keys itself, and no password is chosen: `boardcast key` shows their links, " +
		"and `boardcast key add NAME` makes one for a guest"
	noRecording = "boardcast does not record: publish to a media server that does (--whip URL)"
	noTurning   = "boardcast does not turn or mirror the picture: `v4l2-ctl --list-ctrls` shows whether the camera can do it " +
		"(controls rotate, horizontal_flip, vertical_flip)"
	noControls = "boardcast does not change the camera's controls: set them with `v4l2-ctl --set-ctrl`"
	noVolume   = "boardcast does not change the volume: set it with `alsamixer`"
	webRTCOnly = "boardcast streams by WebRTC alone: the page, players of WHEP at /whep, and media servers by WHIP (--whip URL)"
	alwaysOpus = "the sound is always sent as Opus, which every browser plays"
	portInURL  = "the port is part of the server's URL"
	noACME     = "boardcast asks no authority for certificates: a reverse proxy does (docs/REVERSE-PROXY.md), or `tls: auto` (--tls auto) makes one"
	inTURN     = "user and password are part of the TURN server's URL: turn://user:password@host:3478"
	asListen   = `the port is part of listen: write :8081 to serve the page on port 8081`
	hardware   = "auto takes the board's hardware encoder where it works: `boardcast encoders` shows what became of each"
	asService  = "boardcast stays in the foreground: the Debian package runs it as a service, see docs/INSTALL.md"
	listsNames = "`boardcast devices` lists what is plugged in"
)

// meanings are words that no setting has, the rows for one section first. They
// are looked up before a word is taken for a misspelling.
var meanings = []meaning{
	{words: []string{"signalling.port", "whip.port"}, advice: portInURL},
	{words: []string{"udp-port", "rtp-port", "media-port", "port-range", "udp-ports", "ice.ports", "ice.port-range"}, keys: []string{"ice.port"}},
	{words: []string{"ice.udp-port", "ice.udp-ports"}, keys: []string{"ice.port"}},
	{
		words: []string{"external-ip", "public-ip", "advertised-address", "announced-ip", "nat-1to1", "ice.address", "ice.external-ip"},
		keys:  []string{"ice.addresses"},
	},
	{words: []string{"ice.interface"}, keys: []string{"ice.interfaces"}},
	{words: []string{"ignore-interfaces", "exclude-interfaces", "ice.ignore", "ice.exclude"}, keys: []string{"ice.leave-out"}},
	{words: []string{"ice.user", "ice.username", "ice.password", "ice.credential"}, keys: []string{"ice.turn"}, advice: inTURN},
	{words: []string{"turn-user", "turn-username", "turn-password", "turn-credential"}, keys: []string{"ice.turn"}, advice: inTURN},
	{words: []string{"ice.secret", "static-auth-secret", "use-auth-secret", "turn-shared-secret"}, keys: []string{"ice.turn-secret"}},
	{words: []string{"whip.password", "whip.bearer", "whip-token", "bearer-token"}, keys: []string{"whip.token"}},
	{words: []string{"video.enabled", "video.enable", "video.disabled"}, keys: []string{"video.camera"}, advice: "the picture is on unless the camera is none"},
	{words: []string{"audio.enabled", "audio.enable", "audio.disabled"}, keys: []string{"audio.microphone"}, advice: "the sound is on unless the microphone is none"},
	{words: []string{"audio.device", "audio.source", "audio.input"}, keys: []string{"audio.microphone"}},
	{words: []string{"audio.output", "audio.sink", "audio.playback"}, keys: []string{"audio.speaker"}},
	{words: []string{"log.file", "log.output"}, advice: "boardcast logs to stderr, and as a service to the journal: `journalctl -u boardcast`"},

	{
		words: []string{
			"password", "passwd", "pass", "user", "username", "login", "auth", "authentication", "basic-auth", "htpasswd", "credentials",
		},
		advice: noLogin,
	},
	{words: []string{"no-auth", "no-login", "no-password", "no-key", "public", "anonymous", "insecure-access"}, keys: []string{"open"}},
	{words: []string{"record", "recording", "recordings", "snapshot", "snapshots", "timelapse", "save"}, advice: noRecording},
	{
		words:  []string{"rotate", "rotation", "flip", "hflip", "vflip", "mirror", "orientation", "transform", "upside-down"},
		advice: noTurning,
	},
	{
		words:  []string{"brightness", "contrast", "saturation", "sharpness", "exposure", "gain", "focus", "autofocus", "zoom", "white-balance", "awb"},
		advice: noControls,
	},
	{words: []string{"volume", "mic-volume", "microphone-volume"}, advice: noVolume},
	{words: []string{"rtsp", "rtmp", "hls", "srt", "mjpeg"}, advice: webRTCOnly},
	{words: []string{"daemon", "daemonize", "background", "fork", "service"}, advice: asService},
	{words: []string{"list-devices", "list-cameras", "devices", "list"}, advice: listsNames},
	{words: []string{"list-encoders", "encoders", "codecs"}, advice: "`boardcast encoders` tries the encoders and lists them"},
	{words: []string{"hwaccel", "hw-accel", "hardware", "gpu", "hw-encoder"}, keys: []string{"video.encoder"}, advice: hardware},

	{words: []string{"port", "http-port", "web-port", "listen-port"}, keys: []string{"listen"}, value: ":PORT", advice: asListen},
	{words: []string{"bind", "address", "addr", "listen-address", "bind-address", "ip", "interface"}, keys: []string{"listen"}},
	{words: []string{"hostname", "domain", "server-name", "allowed-hosts"}, keys: []string{"hosts"}},
	{words: []string{"https", "ssl", "certificate", "ssl-cert", "cert-file"}, keys: []string{"tls.cert", "tls.key"}},
	{words: []string{"self-signed", "selfsigned", "auto-tls", "autotls"}, keys: []string{"tls.mode"}, value: Auto},
	{words: []string{"acme", "letsencrypt", "lets-encrypt", "autocert", "certbot"}, advice: noACME},
	{
		words: []string{"proxy", "proxies", "reverse-proxy", "proxy-headers", "real-ip", "x-forwarded-for", "forwarded", "forwarded-allow-ips"},
		keys:  []string{"trusted-proxies"},
	},
	{words: []string{"private-key", "privkey", "ssl-key", "key-file"}, keys: []string{"tls.key"}},

	{words: []string{"fps", "frame-rate", "frames-per-second", "video-fps"}, keys: []string{"video.framerate"}},
	{
		words: []string{"resolution", "size", "video-size", "frame-size", "picture-size", "dimensions", "geometry"},
		keys:  []string{"video.width", "video.height"},
	},
	{words: []string{"device", "video-device", "input", "source", "webcam", "cam", "v4l2"}, keys: []string{"video.camera"}},
	{words: []string{"test", "testsrc", "videotestsrc", "test-picture", "demo"}, keys: []string{"video.camera"}, value: Test},
	{words: []string{"no-video", "audio-only", "sound-only"}, keys: []string{"video.camera"}, value: None},
	{words: []string{"video-codec", "vcodec"}, keys: []string{"video.codec"}},
	{words: []string{"video-bitrate", "max-bitrate", "maxrate", "bandwidth"}, keys: []string{"video.bitrate"}},
	{words: []string{"minrate", "minimum-bitrate"}, keys: []string{"video.min-bitrate"}},
	{words: []string{"abr", "adaptive-bitrate"}, keys: []string{"video.adaptive"}},
	{words: []string{"simulcast", "substream"}, keys: []string{"video.rendition"}},

	{words: []string{"mic", "audio-device", "audio-input", "audio-source", "alsa"}, keys: []string{"audio.microphone"}},
	{words: []string{"no-audio", "no-sound", "no-microphone", "mute", "video-only"}, keys: []string{"audio.microphone"}, value: None},
	{words: []string{"audio-output", "audio-out", "loudspeaker", "talkback"}, keys: []string{"audio.speaker"}},
	{words: []string{"acodec", "audio-codec", "audio.codec"}, advice: alwaysOpus},
	{words: []string{"audio-bitrate"}, keys: []string{"audio.bitrate"}},

	{words: []string{"signaling-server", "signalling-server", "websocket", "ws", "wss"}, keys: []string{"signalling.server"}},
	{words: []string{"peer-id"}, keys: []string{"signalling.peer"}},
	{words: []string{"our-id", "my-id"}, keys: []string{"signalling.id"}},
	{words: []string{"room-id"}, keys: []string{"signalling.room"}},
	{words: []string{"no-verify", "skip-verify", "insecure-skip-verify", "no-check-certificate"}, keys: []string{"signalling.insecure"}},
	{words: []string{"cacert", "ca-cert", "ca-file", "cafile"}, keys: []string{"signalling.ca"}},
	{words: []string{"cors", "allow-origin", "allowed-origins", "origin"}, keys: []string{"signalling.origins"}},
	{words: []string{"publish", "whip-url", "whip-endpoint"}, keys: []string{"whip.url"}},
	{words: []string{"stun-server", "stunserver", "stun-servers"}, keys: []string{"ice.stun"}},
	{words: []string{"turn-server", "turnserver", "turn-servers"}, keys: []string{"ice.turn"}},
	{words: []string{"ice-server", "ice-servers", "iceservers"}, keys: []string{"ice.stun", "ice.turn"}},

	{
		words: []string{"max-viewers", "max-clients", "max-connections", "clients", "connections", "viewers"},
		keys:  []string{"viewers.max"},
	},
	{words: []string{"log", "verbose", "debug", "verbosity", "loglevel", "quiet", "trace"}, keys: []string{"log.level"}},
}

// sectionMeanings are names of sections that people write, with the section or
// the key that holds what they mean.
var sectionMeanings = map[string]string{
	"camera": "cameras", "picture": "video", "sound": "audio", "microphone": "audio", "speaker": "audio",
	"stun": "ice", "turn": "ice", "ssl": "tls", "https": "tls", "logging": "log", "logs": "log", "signal": "signalling",
	"web": "listen", "http": "listen",
}

// wordMeanings are words for a value of a key that is one of a few words.
var wordMeanings = map[string]map[string]string{
	"log.level": {
		"trace": "debug", "verbose": "debug", "all": "debug", "notice": "info", "information": "info",
		"warning": "warn", "fatal": "error", "critical": "error", "quiet": "error", "off": "error",
	},
	"video.codec": {
		"avc": CodecH264, "x264": CodecH264, "h265": CodecH264, "hevc": CodecH264, "vp9": CodecVP8, "best": Auto, "default": Auto,
	},
	"tls.mode": {
		"on": Auto, "yes": Auto, "true": Auto, "https": Auto, "self-signed": Auto, "selfsigned": Auto, "acme": Auto, "letsencrypt": Auto,
		"off": TLSFiles, "no": TLSFiles, "false": TLSFiles, "none": TLSFiles, "http": TLSFiles, "file": TLSFiles, "manual": TLSFiles,
	},
	"log.format":      {"plain": LogText, "human": LogText, "logfmt": LogText},
	"video.rendition": {"off": None, "no": None, "false": None, "on": Auto, "yes": Auto, "true": Auto},
}
