package configs

import (
	"cmp"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// urlForm is how the URL of a kind must look.
type urlForm struct {
	schemes []string          // the first is taken where none was given
	ports   map[string]string // filled in where none was given, by scheme
	alias   map[string]string // schemes that people write, and the scheme that they mean
	user    userRule
	path    bool // a path and parameters may be there
	relay   bool // ?transport=udp or ?transport=tcp may be there
	example string
}

// userRule says whether a URL has a user and a password in it.
type userRule int

const (
	userRefused userRule = iota
	userTaken
	userNeeded
)

var urlForms = map[Kind]urlForm{
	KindSocket: {
		schemes: []string{"wss", "ws"}, alias: map[string]string{"https": "wss", "http": "ws"}, path: true, user: userTaken,
		example: "wss://host:8443",
	},
	KindHTTP: {
		schemes: []string{"https", "http"}, alias: map[string]string{"whip": "https", "whips": "https"}, path: true,
		example: "https://host/path/whip",
	},
	KindSTUN: {
		schemes: []string{"stun"}, ports: map[string]string{"stun": "3478"}, alias: map[string]string{"stuns": "stun"},
		example: "stun://host:3478",
	},
	KindTURN: {
		schemes: []string{"turn", "turns"}, ports: map[string]string{"turn": "3478", "turns": "5349"}, user: userNeeded,
		relay: true, example: "turn://user:password@host:3478",
	},
	KindRelay: {
		schemes: []string{"turn", "turns"}, ports: map[string]string{"turn": "3478", "turns": "5349"}, relay: true,
		example: "turn://host:3478",
	},
}

// parseURL never repeats text in a fault: a password may stand anywhere in it.
func parseURL(k Key, text string) (any, *fault) {
	if text == "" && !k.List {
		return URL{}, nil
	}
	form := urlForms[k.Kind]
	u, why := form.parse(text)
	if why == "" {
		return u, nil
	}
	return nil, form.fault(why, text)
}

// fault says what is wrong with a text, with the text as it was probably meant,
// or with the form of such a URL. It never shows a password.
func (f urlForm) fault(why, text string) *fault {
	if repaired, rest := f.parse(f.repair(text)); rest == "" {
		return &fault{reason: why, nearest: repaired.String()}
	}
	return &fault{reason: why + "; it is written like " + f.example}
}

func (f urlForm) parse(text string) (URL, string) {
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(text, " \\") {
		return URL{}, "is not a URL" + f.encoding()
	}
	for _, check := range []func(string, *url.URL) string{f.checkScheme, f.checkUser, f.checkHost, f.checkRest} {
		if why := check(text, u); why != "" {
			return URL{}, why
		}
	}
	if u.Port() == "" && f.ports[u.Scheme] != "" {
		u.Host = net.JoinHostPort(u.Hostname(), f.ports[u.Scheme])
	}
	return URL{u.String()}, ""
}

// encoding tells how to write a password, which is what breaks most URLs that
// have one.
const encoding = " (in the user and the password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25)"

func (f urlForm) encoding() string {
	if f.user != userNeeded {
		return ""
	}
	return encoding
}

func (f urlForm) checkScheme(_ string, u *url.URL) string {
	if slices.Contains(f.schemes, u.Scheme) && u.Opaque == "" {
		return ""
	}
	return "does not start with " + strings.Join(f.schemes, ":// or ") + "://"
}

func (f urlForm) checkUser(text string, u *url.URL) string {
	switch {
	case f.user == userRefused && u.User != nil:
		return "takes no user and password"
	case f.user != userNeeded && u.User == nil:
		return ""
	}
	password, _ := u.User.Password()
	if u.User.Username() == "" || password == "" {
		return "lacks user:password@ before the host" + encoding
	}
	raw := text[strings.Index(text, "//")+2 : strings.LastIndexByte(text, '@')]
	if strings.ContainsAny(raw, "/@") || strings.Count(raw, ":") > 1 {
		return "has an unclear user and password" + encoding
	}
	return ""
}

var urlHost = regexp.MustCompile(`^[A-Za-z0-9._-]{1,253}$`)

func (f urlForm) checkHost(_ string, u *url.URL) string {
	host, _, _ := strings.Cut(u.Hostname(), "%")
	if !urlHost.MatchString(host) && net.ParseIP(host) == nil {
		return "has no valid host" + f.encoding()
	}
	if strings.HasSuffix(u.Host, ":") {
		return "has no port after the colon"
	}
	if n, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || n < 1 || n > 65535) {
		return "has a port that is not from 1 to 65535"
	}
	return ""
}

func (f urlForm) checkRest(_ string, u *url.URL) string {
	switch query := u.Query(); {
	case u.Fragment != "" || u.ForceQuery:
		return "has something after the address" + f.encoding()
	case f.path:
		return ""
	case strings.Trim(u.Path, "/") != "":
		return "has a path after the host" + f.encoding()
	case !f.relay && u.RawQuery != "":
		return "takes no parameters"
	case u.RawQuery != "" && (len(query) != 1 || !slices.Contains([]string{"udp", "tcp"}, query.Get("transport"))):
		return "takes no parameter but ?transport=udp or ?transport=tcp"
	case u.Scheme == "turns" && query.Get("transport") == "udp":
		return "cannot use TLS over udp"
	}
	u.Path = ""
	return ""
}

var schemeLike = regexp.MustCompile(`^([A-Za-z]+):(/*)`)

// repair mends what people get wrong in the front and at the end of a URL.
func (f urlForm) repair(text string) string {
	text = strings.TrimSpace(text)
	scheme, rest := f.schemes[0], text
	if m := schemeLike.FindStringSubmatch(text); m != nil {
		given := strings.ToLower(m[1])
		switch {
		case slices.Contains(f.schemes, given):
			scheme, rest = given, text[len(m[0]):]
		case f.alias[given] != "":
			scheme, rest = f.alias[given], text[len(m[0]):]
		case m[2] != "":
			scheme, rest = cmp.Or(Nearest(given, f.schemes), given), text[len(m[0]):]
		}
	}
	if scheme == "turns" {
		rest = strings.TrimSuffix(rest, "?transport=udp")
	}
	return scheme + "://" + rest
}

// parseOrigin takes "*" or what a browser puts into its Origin header.
func parseOrigin(_ Key, text string) (any, *fault) {
	form := urlForm{schemes: []string{"https", "http"}, example: "https://example.org"}
	if text == "*" {
		return text, nil
	}
	u, why := form.parse(strings.ToLower(text))
	if why == "" {
		return u.Full(), nil
	}
	return nil, form.fault(why, strings.ToLower(text))
}
