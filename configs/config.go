// Package configs answers what the user asked for, and where it was said.
//
// Every setting has a key such as video.width. [Keys] is the table of them; the
// defaults and their explanation stand in the embedded boardcast.yaml, which
// [Default] returns. [Load] reads flags over environment over file over
// defaults and refuses unknown keys and impossible values, naming the place and
// the nearest valid one:
//
//	cfg, err := configs.Load(configs.Options{
//		Flags: map[string]string{"video.width": "641"},
//		Env:   os.Environ(),
//	})
//	// flag --width: video.width: 641 is not a multiple of 2; did you mean 640?
//
// The package opens no device and no socket: that a named camera or certificate
// exists is not checked here.
package configs

import (
	"log/slog"
	"net/netip"
	"time"
)

// Values of TLS.Mode, of Video.Codec, of Log.Format, and the words that Video.Camera,
// Video.Encoder, Audio.Microphone and Audio.Speaker take besides names.
const (
	Auto      = "auto"
	Test      = "test"
	None      = "none"
	CodecH264 = "h264"
	CodecVP8  = "vp8"
	LogText   = "text"
	LogJSON   = "json"
	TLSFiles  = "files"
)

// Config holds every setting, checked. It is a plain value: Load makes it, and
// afterwards it may be read by any goroutine. Printing or logging it shows no
// password.
type Config struct {
	Page Page `mapstructure:",squash"`
	// Display shows incoming video on the board's own screen.
	Display    bool       `mapstructure:"display"`
	Signalling Signalling `mapstructure:"signalling"`
	WHIP       WHIP       `mapstructure:"whip"`
	Video      Video      `mapstructure:"video"`
	Audio      Audio      `mapstructure:"audio"`
	// Cameras are the cameras to serve, at least one. If the settings list no
	// cameras, there is one with an empty Name and the values of Video and Audio.
	Cameras []Camera `mapstructure:"cameras"`
	ICE     ICE      `mapstructure:"ice"`
	Viewers Viewers  `mapstructure:"viewers"`
	Log     Log      `mapstructure:"log"`

	origin origin
}

// Page says where the page is served, under which names, and whether a key is asked for.
type Page struct {
	// Listen is host:port; the host may be empty, the port 0.
	Listen string `mapstructure:"listen"`
	// Hosts are further names of this board, in lower case, or "*".
	Hosts []string `mapstructure:"hosts"`
	// TrustedProxies are where reverse proxies are that may say who their clients are.
	TrustedProxies []netip.Prefix `mapstructure:"trusted-proxies"`
	// Open lets everybody in without a key.
	Open bool `mapstructure:"open"`
	// Embed are the origins of web sites that may show the page in a frame.
	Embed []string `mapstructure:"embed"`
	TLS   TLS      `mapstructure:"tls"`
}

// origin is where the settings come from.
type origin struct {
	file     string // that was read, "" for none
	settings []Setting
}

// TLS says how https is served. Of the PEM files both are set or neither; without them the Mode TLSFiles means plain http.
type TLS struct {
	Mode string `mapstructure:"mode"` // TLSFiles, or Auto, which goes without files
	Cert string `mapstructure:"cert"`
	Key  string `mapstructure:"key"`
}

// On reports whether https is served.
func (t TLS) On() bool { return t.Mode == Auto || t.Cert != "" }

// Signalling says where peers are met. The zero Server means our own page only;
// Peer and Room are never both set, and need Server.
type Signalling struct {
	Server        URL    `mapstructure:"server"` // ws or wss
	Peer          string `mapstructure:"peer"`
	ID            string `mapstructure:"id"` // "" = choose for me
	Room          string `mapstructure:"room"`
	RemoteOfferer bool   `mapstructure:"remote-offerer"`
	Insecure      bool   `mapstructure:"insecure"`
	CA            string `mapstructure:"ca"` // PEM file
	// Origins lists scheme://host[:port] in lower case, or "*".
	Origins []string `mapstructure:"origins"`
}

// WHIP says to which media server to publish; the zero URL means none, and then
// there is no token.
type WHIP struct {
	URL   URL    `mapstructure:"url"` // http or https
	Token Secret `mapstructure:"token"`
}

// Video describes the picture. Zero Width, Height or Bitrate mean "choose for
// me"; the sizes are even.
type Video struct {
	Camera    string  `mapstructure:"camera"` // Auto, Test, None, or a name, id or path
	Codec     string  `mapstructure:"codec"`  // Auto, CodecH264 or CodecVP8
	Encoder   string  `mapstructure:"encoder"`
	Width     int     `mapstructure:"width"`     // pixels
	Height    int     `mapstructure:"height"`    // pixels
	Framerate int     `mapstructure:"framerate"` // pictures per second
	Bitrate   Bitrate `mapstructure:"bitrate"`
	// Adaptive follows the viewers' networks with the bitrate.
	Adaptive bool `mapstructure:"adaptive"`
	// MinBitrate is in bit/s. However slow the viewers' networks are, the
	// bitrate is not lowered below it.
	MinBitrate Bitrate `mapstructure:"min-bitrate"`
	// Rendition is Auto or None: whether viewers on slow networks are sent a
	// second, smaller picture.
	Rendition string `mapstructure:"rendition"`
}

// Audio describes the sound both ways.
type Audio struct {
	Microphone string  `mapstructure:"microphone"` // Auto, Test, None, or a name, id or path
	Speaker    string  `mapstructure:"speaker"`    // Auto, None, or a name, id or path
	Bitrate    Bitrate `mapstructure:"bitrate"`
}

// Camera is one of the cameras to serve.
type Camera struct {
	Name       string `mapstructure:"name"` // "" for the only one, where it was given none
	Video      `mapstructure:",squash"`
	Microphone string `mapstructure:"microphone"` // as in Audio
}

// ICE says by which servers, ports and addresses viewers are reached. Ports are
// always present in the URLs. TURN's always carry a user and a password, those
// of TURNRest never do.
type ICE struct {
	STUN URL   `mapstructure:"stun"`
	TURN []URL `mapstructure:"turn"`
	// TURNRest are TURN servers that share TURNSecret with this board. They are
	// not set without it.
	TURNRest   []URL  `mapstructure:"turn-rest"`
	TURNSecret Secret `mapstructure:"turn-secret"`
	// TURNLifetime is how long the credentials that are made of TURNSecret hold.
	TURNLifetime time.Duration `mapstructure:"turn-lifetime"`
	// Port are the ports of the viewers' media, one for each viewer; the zero
	// value is any.
	Port Ports `mapstructure:"port"`
	// TCPPort is the one port of ICE over TCP; 0 is one for each viewer.
	TCPPort int `mapstructure:"tcp-port"`
	// Addresses are those by which viewers elsewhere reach this board.
	Addresses []netip.Addr `mapstructure:"addresses"`
	// Interfaces are patterns of the names of interfaces whose addresses are
	// used, all when empty. Those that LeaveOut names are not.
	Interfaces []string `mapstructure:"interfaces"`
	LeaveOut   []string `mapstructure:"leave-out"`
}

// Viewers bounds how many viewers are served.
type Viewers struct {
	Max   int           `mapstructure:"max"`
	Grace time.Duration `mapstructure:"grace"`
}

// Log says what is told on stderr, and how.
type Log struct {
	Level  slog.Level `mapstructure:"level"`
	Format string     `mapstructure:"format"` // LogText or LogJSON
}
