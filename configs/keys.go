package configs

import (
	_ "embed" // the default file
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// FileName is the name under which a settings file is looked for.
const FileName = "boardcast.yaml"

//go:embed boardcast.yaml
var defaultFile []byte

// Default returns the commented default file: every key with its default.
func Default() []byte { return slices.Clone(defaultFile) }

// Kind says what values a key takes and how they are written.
type Kind string

// The kinds of values.
const (
	KindBool     Kind = "bool"
	KindWhole    Kind = "whole number"
	KindBitrate  Kind = "bitrate"
	KindDuration Kind = "duration"
	KindChoice   Kind = "choice"  // one of Key.Words
	KindDevice   Kind = "device"  // one of Key.Words, or a device's name
	KindName     Kind = "name"    // of an encoder
	KindPeer     Kind = "peer"    // a name without blanks; may be empty
	KindPath     Kind = "path"    // may be empty
	KindAddress  Kind = "address" // host:port
	KindLevel    Kind = "level"   // of the log; one of Key.Words
	KindSocket   Kind = "socket"  // ws or wss URL; may be empty
	KindSTUN     Kind = "stun"    // may be empty
	KindTURN     Kind = "turn"    // has a password
	KindHTTP     Kind = "http"    // http or https URL; may be empty
	KindSecret   Kind = "secret"  // is never shown; may be empty
	KindOrigin   Kind = "origin"  // scheme://host[:port]
	KindCamera   Kind = "camera"  // the name of one of several cameras
	KindHost     Kind = "host"    // a name in DNS, or *
	KindPorts    Kind = "ports"   // one port or FIRST-LAST; may be empty
	KindIP       Kind = "ip"      // an address of IPv4 or IPv6
	KindPattern  Kind = "pattern" // of interfaces' names
	KindRelay    Kind = "relay"   // a TURN server without user and password
	KindNetwork  Kind = "network" // an address, or a range of them
)

// Key is one row of the table of settings. Flags are registered, values checked
// and errors worded from it, so that none of them drifts from the others.
type Key struct {
	Name string // in the file, such as video.width
	Kind Kind
	List bool // a list of Kind

	// Min, Max and Step bound numbers: pixels, pictures per second, bit/s or
	// nanoseconds. Zero is taken too when ZeroAuto ("choose for me").
	Min, Max, Step int64
	ZeroAuto       bool
	Words          []string // KindChoice, KindLevel, KindDevice; for KindPeer those refused

	Flag  string // without dashes; "" = no flag
	Group string // heading in the help
	Unit  string // what stands for the value in the help
	Help  string // one line for the help
}

// Headings of the help, in its order.
const (
	GroupPage       = "Page"
	GroupPicture    = "Picture"
	GroupSound      = "Sound"
	GroupSignalling = "Signalling server elsewhere"
	GroupWHIP       = "Media server for many more viewers"
	GroupNetwork    = "Ways through routers"
	GroupGeneral    = "General"
)

var keys = []Key{
	{
		Name: "listen", Kind: KindAddress, Flag: "listen", Group: GroupPage, Unit: "address:port",
		Help: "where the page is served; 127.0.0.1:8080 keeps it to this machine",
	},
	{
		Name: "hosts", Kind: KindHost, List: true, Flag: "host", Group: GroupPage, Unit: "name",
		Help: "a name by which the page is opened, besides this machine's own; may be repeated; * = any",
	},
	{
		Name: "trusted-proxies", Kind: KindNetwork, List: true, Flag: "trusted-proxy", Group: GroupPage, Unit: "address",
		Help: "a reverse proxy, such as 127.0.0.1 or 10.0.0.0/24, that is believed who its clients are; may be repeated",
	},
	{
		Name: "open", Kind: KindBool, Flag: "open", Group: GroupPage,
		Help: "let everybody in without a key: whoever reaches the page may watch, listen and talk",
	},
	{Name: "embed", Kind: KindOrigin, List: true},
	{
		Name: "display", Kind: KindBool, Flag: "display", Group: GroupPicture,
		Help: "show incoming video in a window on the board's own screen",
	},
	{
		Name: "tls.mode", Kind: KindChoice, Words: []string{TLSFiles, Auto}, Flag: "tls", Group: GroupPage, Unit: "mode",
		Help: "auto = https with a certificate that boardcast makes itself; files = with that of --tls-cert, if any",
	},
	{
		Name: "tls.cert", Kind: KindPath, Flag: "tls-cert", Group: GroupPage, Unit: "file",
		Help: "serve https with this certificate (PEM); talkback needs https",
	},
	{
		Name: "tls.key", Kind: KindPath, Flag: "tls-key", Group: GroupPage, Unit: "file",
		Help: "the certificate's private key (PEM)",
	},

	{
		Name: "signalling.server", Kind: KindSocket, Flag: "server", Group: GroupSignalling, Unit: "url",
		Help: "use the server at wss://host:port or ws://host:port",
	},
	{
		Name: "signalling.peer", Kind: KindPeer, Flag: "peer", Group: GroupSignalling, Unit: "id",
		Help: "call this peer there; else wait to be called",
	},
	{
		Name: "signalling.id", Kind: KindPeer, Flag: "id", Group: GroupSignalling, Unit: "id",
		Help: "this board's name (default camera on our own page, a random number on a server elsewhere)",
	},
	{
		Name: "signalling.room", Kind: KindPeer, Words: []string{"session"}, Flag: "room", Group: GroupSignalling, Unit: "id",
		Help: "join this room there and serve each member",
	},
	{
		Name: "signalling.remote-offerer", Kind: KindBool, Flag: "remote-offerer", Group: GroupSignalling,
		Help: "ask the peer that we call to make the WebRTC offer",
	},
	{
		Name: "signalling.insecure", Kind: KindBool, Flag: "insecure", Group: GroupSignalling,
		Help: "take any certificate of the server (for trying out only)",
	},
	{
		Name: "signalling.ca", Kind: KindPath, Flag: "ca", Group: GroupSignalling, Unit: "file",
		Help: "check the server's certificate by this authority's (PEM)",
	},
	{Name: "signalling.origins", Kind: KindOrigin, List: true},

	{
		Name: "whip.url", Kind: KindHTTP, Flag: "whip", Group: GroupWHIP, Unit: "url",
		Help: "publish to the WHIP endpoint https://host/path (token: BOARDCAST_WHIP_TOKEN or the file)",
	},
	{Name: "whip.token", Kind: KindSecret},

	{
		Name: "video.camera", Kind: KindDevice, Words: []string{Auto, Test, None}, Flag: "camera", Group: GroupPicture, Unit: "name",
		Help: "auto, test, none, or a name, id or path that boardcast devices shows; NAME=CAMERA, repeated, for several",
	},
	{
		Name: "video.codec", Kind: KindChoice, Words: []string{Auto, CodecH264, CodecVP8}, Flag: "codec", Group: GroupPicture, Unit: "codec",
		Help: "auto, h264 or vp8",
	},
	{
		Name: "video.encoder", Kind: KindName, Flag: "encoder", Group: GroupPicture, Unit: "name",
		Help: "auto; camera = the camera's own H.264, passed on untouched; or an encoder's name such as x264enc",
	},
	{
		Name: "video.width", Kind: KindWhole, Min: 32, Max: 8192, Step: 2, ZeroAuto: true, Flag: "width", Group: GroupPicture, Unit: "pixels",
		Help: "even; 0 = choose for me",
	},
	{
		Name: "video.height", Kind: KindWhole, Min: 32, Max: 8192, Step: 2, ZeroAuto: true, Flag: "height", Group: GroupPicture, Unit: "pixels",
		Help: "even; 0 = choose for me",
	},
	{
		Name: "video.framerate", Kind: KindWhole, Min: 1, Max: 120, Step: 1, Flag: "framerate", Group: GroupPicture, Unit: "number",
		Help: "pictures per second",
	},
	{
		Name: "video.bitrate", Kind: KindBitrate, Min: 50_000, Max: 100_000_000, Step: 1, ZeroAuto: true, Flag: "bitrate", Group: GroupPicture, Unit: "bit/s",
		Help: "such as 800k or 2.5M; 0 = choose for me",
	},
	{Name: "video.adaptive", Kind: KindBool},
	{Name: "video.min-bitrate", Kind: KindBitrate, Min: 50_000, Max: 100_000_000, Step: 1},
	{Name: "video.rendition", Kind: KindChoice, Words: []string{Auto, None}},

	{
		Name: "audio.microphone", Kind: KindDevice, Words: []string{Auto, Test, None}, Flag: "microphone", Group: GroupSound, Unit: "name",
		Help: "auto, test, none, or a name, id or path that boardcast devices shows",
	},
	{
		Name: "audio.speaker", Kind: KindDevice, Words: []string{Auto, None}, Flag: "speaker", Group: GroupSound, Unit: "name",
		Help: "where viewers who talk back are heard: auto, none, or a name, id or path that boardcast devices shows",
	},
	{Name: "audio.bitrate", Kind: KindBitrate, Min: 6_000, Max: 510_000, Step: 1},

	{Name: camerasKey, Kind: KindCamera, List: true},

	{
		Name: "ice.stun", Kind: KindSTUN, Flag: "stun", Group: GroupNetwork, Unit: "url",
		Help: "stun://host:port, a server that viewers in other networks may need",
	},
	{
		Name: "ice.turn", Kind: KindTURN, List: true, Flag: "turn", Group: GroupNetwork, Unit: "url",
		Help: "turn[s]://user:password@host:port[?transport=tcp], a relay for where STUN is not enough; may be repeated",
	},

	{Name: "ice.turn-rest", Kind: KindRelay, List: true},
	{Name: "ice.turn-secret", Kind: KindSecret},
	{Name: "ice.turn-lifetime", Kind: KindDuration, Min: int64(10 * time.Second), Max: int64(7 * 24 * time.Hour), Step: 1},
	{Name: "ice.port", Kind: KindPorts},
	{Name: "ice.tcp-port", Kind: KindWhole, Min: 1, Max: 65535, Step: 1, ZeroAuto: true},
	{Name: "ice.addresses", Kind: KindIP, List: true},
	{Name: "ice.interfaces", Kind: KindPattern, List: true},
	{Name: "ice.leave-out", Kind: KindPattern, List: true},

	{Name: "viewers.max", Kind: KindWhole, Min: 1, Max: 1000, Step: 1},
	{Name: "viewers.grace", Kind: KindDuration, Min: 0, Max: int64(time.Hour), Step: 1},

	{
		Name: "log.level", Kind: KindLevel, Words: []string{"debug", "info", "warn", "error"}, Flag: "log-level", Group: GroupGeneral, Unit: "level",
		Help: "debug, info, warn or error",
	},
	{
		Name: "log.format", Kind: KindChoice, Words: []string{LogText, LogJSON}, Flag: "log-format", Group: GroupGeneral, Unit: "format",
		Help: "text or json",
	},
}

// Keys returns the table of settings in the order of the default file. The
// caller must not change the Words.
func Keys() []Key { return slices.Clone(keys) }

func lookup(name string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return lookupOfCamera(name)
	}
	return keys[i], true
}

// Env returns the name of the environment variable that sets the key.
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(k.Name))
}

// Default returns the default as a flag would be given it; a list's items are
// joined by commas.
func (k Key) Default() string {
	name := common(k.Name)
	for _, e := range defaults() {
		if e.name == name {
			return strings.Join(e.texts(), ",")
		}
	}
	return ""
}

// sections lists the names that hold keys: video of video.width.
func sections() []string {
	var names []string
	for _, k := range keys {
		if section, _, ok := strings.Cut(k.Name, "."); ok && !slices.Contains(names, section) {
			names = append(names, section)
		}
	}
	return names
}

// defaults returns the entries of the embedded file, which a test holds to the
// table.
var defaults = sync.OnceValue(func() []entry {
	entries, problems := parseFile(Source{Layer: LayerDefault}, defaultFile)
	if len(problems) > 0 {
		panic("configs: default file: " + problems.Error())
	}
	return entries
})

// clamp returns the valid number nearest to x, which may be anything but NaN.
func (k Key) clamp(x float64) int64 {
	if k.ZeroAuto && x <= 0 {
		return 0
	}
	x = math.Min(math.Max(x, float64(k.Min)), float64(k.Max))
	if k.Step > 1 {
		x = math.Floor(x/float64(k.Step)) * float64(k.Step)
	}
	return int64(math.Round(x))
}
