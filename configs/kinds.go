package configs

import (
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fault says why a text is no value of a key, and which valid one is nearest.
// Neither may show a password.
type fault struct{ reason, nearest string }

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
}

var bools = map[string]bool{
	"true": true, "yes": true, "on": true, "1": true,
	"false": false, "no": false, "off": false, "0": false,
}

func parseBool(_ Key, text string) (any, *fault) {
	v, ok := bools[strings.ToLower(text)]
	if !ok {
		return nil, &fault{fmt.Sprintf("%q is neither true nor false", text), Nearest(text, []string{"true", "false"})}
	}
	return v, nil
}

var numberLike = regexp.MustCompile(`^\s*([+-]?[0-9]+(?:\.[0-9]+)?)`)

func parseWhole(k Key, text string) (any, *fault) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, &fault{fmt.Sprintf("%q is not a whole number", text), nearestWhole(k, text)}
	}
	nearest := strconv.FormatInt(k.clamp(float64(n)), 10)
	why := k.outside(float64(n), func(n int64) string { return strconv.FormatInt(n, 10) })
	if why == "" && int64(n)%k.Step != 0 {
		why = fmt.Sprintf("is not a multiple of %d", k.Step)
	}
	if why != "" {
		return nil, &fault{fmt.Sprintf("%d %s", n, why), nearest}
	}
	return n, nil
}

func nearestWhole(k Key, text string) string {
	m := numberLike.FindStringSubmatch(text)
	if m == nil {
		return k.Default()
	}
	x, _ := strconv.ParseFloat(m[1], 64) // fails only for size; x is infinite then, and clamp takes that
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
		return nil, &fault{fmt.Sprintf("%q is not a length of time, such as 500ms or 5s", text), nearestDuration(k, text)}
	}
	if why := k.outside(float64(d), func(n int64) string { return shortDuration(time.Duration(n)) }); why != "" {
		return nil, &fault{text + " " + why, shortDuration(time.Duration(k.clamp(float64(d))))}
	}
	return d, nil
}

var durationLike = regexp.MustCompile(`^\s*(-?[0-9.]+)\s*(ms|[smh])?`)

// nearestDuration takes "5", "5 s" and "5 seconds" for 5s.
func nearestDuration(k Key, text string) string {
	m := durationLike.FindStringSubmatch(strings.ToLower(text))
	if m == nil {
		return k.Default()
	}
	unit := m[2]
	if unit == "" {
		unit = "s"
	}
	d, err := time.ParseDuration(m[1] + unit)
	if err != nil {
		return k.Default()
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
		nearest = Nearest(text, k.Words)
	}
	return nil, &fault{fmt.Sprintf("%q is none of %s", text, strings.Join(k.Words, ", ")), nearest}
}

func parseLevel(k Key, text string) (any, *fault) {
	if _, f := parseChoice(k, text); f != nil {
		return nil, f
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(text)); err != nil {
		return nil, &fault{err.Error(), k.Default()}
	}
	return l, nil
}
