package configs

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault says why a text is no value of a key. nearest is the valid value that
// was probably meant, "" where that is not known: then hint may tell what to
// do. None of them may show a password.
type fault struct{ reason, nearest, hint string }

// parsers turn a text into the value that Config holds.
var parsers = map[Kind]func(Key, string) (any, *fault){
	KindBool:     parseBool,
	KindWhole:    parseWhole,
	KindBitrate:  parseBitrate,
	KindDuration: parseDuration,
	KindChoice:   parseChoice,
	KindLevel:    parseLevel,
	KindDevice:   parseDevice,
	KindName:     parseName,
	KindPeer:     parsePeer,
	KindPath:     parsePath,
	KindAddress:  parseAddress,
	KindSocket:   parseURL,
	KindSTUN:     parseURL,
	KindTURN:     parseURL,
	KindHTTP:     parseURL,
	KindSecret:   parseSecret,
	KindOrigin:   parseOrigin,
	KindCamera:   parseCamera,
	KindHost:     parseHost,
	KindPorts:    parsePorts,
	KindIP:       parseIP,
	KindPattern:  parsePattern,
	KindRelay:    parseURL,
	KindNetwork:  parseNetwork,
}

var (
	// typographic are quotes that word processors and web pages make of plain
	// ones. YAML takes them for a part of the value.
	typographic = regexp.MustCompile(`^[“”„‟«»‘’‚‹›]+(.*?)[“”„‟«»‘’‚‹›]+$`)
	// placeholder is what a template or a shell was to fill in.
	placeholder = regexp.MustCompile(`^\$(\{[^}]*\}|[A-Z_][A-Z0-9_]*)$`)
)

// parse turns a text into the value that Config holds. It catches what no kind
// of value means as it stands.
func (k Key) parse(layer Layer, text string) (any, *fault) {
	if m := typographic.FindStringSubmatch(text); m != nil && k.Kind != KindSecret {
		f := &fault{reason: "has typographic quotes around it, which YAML takes for a part of the value", hint: `use plain quotes: " or '`}
		if _, again := parsers[k.Kind](k, m[1]); again == nil && !k.holdsSecret() {
			f.nearest = m[1]
		}
		return nil, f
	}
	if layer == LayerFile && placeholder.MatchString(text) {
		return nil, &fault{
			reason: "is a placeholder, and boardcast fills in none in its settings file",
			hint:   "leave the key out of the file, and set the variable " + k.Env(),
		}
	}
	return parsers[k.Kind](k, text)
}

// holdsSecret reports whether a value of the key may have a password in it.
func (k Key) holdsSecret() bool {
	_, isURL := urlForms[k.Kind]
	return isURL || k.Kind == KindSecret
}

var bools = map[string]bool{
	"true": true, "yes": true, "on": true, "1": true,
	"false": false, "no": false, "off": false, "0": false,
}

func parseBool(_ Key, text string) (any, *fault) {
	v, ok := bools[strings.ToLower(text)]
	if !ok {
		return nil, &fault{reason: fmt.Sprintf("%q is neither true nor false", text), nearest: nearestBool(text)}
	}
	return v, nil
}

// boolWords are what else people write for true and false.
var boolWords = map[string]string{
	"y": "true", "t": "true", "enable": "true", "enabled": "true", "always": "true",
	"n": "false", "f": "false", "disable": "false", "disabled": "false", "never": "false", "none": "false",
}

func nearestBool(text string) string {
	return cmp.Or(boolWords[strings.ToLower(text)], Nearest(text, []string{"true", "false"}))
}

func parseWhole(k Key, text string) (any, *fault) {
	n, err := strconv.Atoi(text)
	if err != nil {
		f := &fault{reason: fmt.Sprintf("%.50q is not a whole number", text), nearest: nearestWhole(k, text)}
		if f.nearest == "" {
			f.reason += k.bounds()
		}
		return nil, f
	}
	nearest := strconv.FormatInt(k.clamp(float64(n)), 10)
	why := k.outside(float64(n), func(n int64) string { return strconv.FormatInt(n, 10) })
	if why == "" && int64(n)%k.Step != 0 {
		why = fmt.Sprintf("is not a multiple of %d", k.Step)
	}
	if why != "" {
		return nil, &fault{reason: fmt.Sprintf("%d %s", n, why), nearest: nearest}
	}
	return n, nil
}

// bounds words the limits of a whole number.
func (k Key) bounds() string {
	text := fmt.Sprintf(" from %d to %d", k.Min, k.Max)
	if k.ZeroAuto {
		text += ", or 0 = choose for me"
	}
	return text
}

var (
	// numberLike is a number with something behind it: 640px, 30 fps, 29.97.
	numberLike = regexp.MustCompile(`^([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][0-9]+)?)(?:[^0-9xX.,eE].*)?$`)
	// sizeLike is a width and a height at once.
	sizeLike = regexp.MustCompile(`^([0-9]+) ?[xX×*] ?([0-9]+)$`)
)

// nearestWhole finds the number in "640px", "1_280" and "29.97", and of
// "1920x1080" the half that the key is about.
func nearestWhole(k Key, text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "_", "")
	number := ""
	if m := sizeLike.FindStringSubmatch(text); m != nil && m[1] != "0" {
		number = map[string]string{"width": m[1], "height": m[2]}[k.last()]
	} else if m := numberLike.FindStringSubmatch(text); m != nil {
		number = m[1]
	}
	if number == "" {
		return ""
	}
	x, _ := strconv.ParseFloat(number, 64) // fails only for size; x is infinite then, and clamp takes that
	return strconv.FormatInt(k.clamp(math.Round(x)), 10)
}

// outside says in which way x is out of bounds, "" when it is not.
func (k Key) outside(x float64, format func(int64) string) string {
	switch {
	case k.ZeroAuto && x == 0:
		return ""
	case x < float64(k.Min) && k.ZeroAuto:
		return "is below the least, " + format(k.Min) + " (0 = choose for me)"
	case x < float64(k.Min):
		return "is below the least, " + format(k.Min)
	case x > float64(k.Max):
		return "is above the most, " + format(k.Max)
	default:
		return ""
	}
}

func parseDuration(k Key, text string) (any, *fault) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return nil, &fault{
			reason:  fmt.Sprintf("%.50q is not a length of time, such as 500ms or 5s", text),
			nearest: nearestDuration(k, text),
		}
	}
	if why := k.outside(float64(d), func(n int64) string { return shortDuration(time.Duration(n)) }); why != "" {
		return nil, &fault{reason: text + " " + why, nearest: shortDuration(time.Duration(k.clamp(float64(d))))}
	}
	return d, nil
}

// durationLike is a number with any of the units of time that people write.
var durationLike = regexp.MustCompile(`^(-?[0-9.]+) *(?:(ms)(?:ec)?|(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:(?:ou)?rs?)?)?$`)

// nearestDuration takes "5", "5 s" and "5 seconds" for 5s.
func nearestDuration(k Key, text string) string {
	m := durationLike.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return ""
	}
	d, err := time.ParseDuration(m[1] + cmp.Or(m[2], m[3], m[4], m[5], "s"))
	if err != nil {
		return ""
	}
	return shortDuration(time.Duration(k.clamp(float64(d))))
}

// shortDuration leaves out the zero units that String ends with: 1h, not 1h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func parseChoice(k Key, text string) (any, *fault) {
	if slices.Contains(k.Words, text) {
		return text, nil
	}
	nearest := k.Default()
	if text != "" {
		word := strings.ToLower(strings.TrimSpace(text))
		nearest = cmp.Or(wordMeanings[common(k.Name)][word], Nearest(text, k.Words))
	}
	return nil, &fault{reason: fmt.Sprintf("%.50q is none of %s", text, strings.Join(k.Words, ", ")), nearest: nearest}
}

func parseLevel(k Key, text string) (any, *fault) {
	if _, f := parseChoice(k, text); f != nil {
		return nil, f
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err != nil {
		return nil, &fault{reason: err.Error(), nearest: k.Default()}
	}
	return l, nil
}
