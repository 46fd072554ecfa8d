package configs

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Bitrate is a number of bits per second.
type Bitrate int64

// String writes the bitrate as a setting takes it, such as 800k or 2.5M.
func (b Bitrate) String() string {
	switch {
	case b != 0 && b%100_000 == 0 && b >= 1_000_000:
		return strconv.FormatFloat(float64(b)/1e6, 'f', -1, 64) + "M"
	case b != 0 && b%1_000 == 0:
		return strconv.FormatInt(int64(b)/1_000, 10) + "k"
	default:
		return strconv.FormatInt(int64(b), 10)
	}
}

var bitrateForm = regexp.MustCompile(`^(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)([kKM]?)$`)

func parseBitrate(k Key, text string) (any, *fault) {
	m := bitrateForm.FindStringSubmatch(text)
	if m == nil {
		return nil, &fault{
			reason:  fmt.Sprintf("%.50q is not a bitrate, such as 1500k or 2.5M", text),
			nearest: nearestBitrate(k, text),
		}
	}
	x := bits(m[1], m[2])
	if x != math.Trunc(x) {
		return nil, &fault{reason: text + " is not a whole number of bits", nearest: Bitrate(k.clamp(x)).String()}
	}
	if why := k.outside(x, func(n int64) string { return Bitrate(n).String() }); why != "" {
		return nil, &fault{reason: text + " " + why, nearest: k.inUnits(x, m[2] == "")}
	}
	return Bitrate(x), nil
}

var (
	// bitrateLike is a number with any of the units that people write for bits
	// per second. A capital B is bytes to some and bits to others: no number is
	// suggested for MB/s.
	bitrateLike = regexp.MustCompile(`^(-?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE]\+?[0-9]{1,2})?) ?([kKmMgG]?)(?:(?i:i?bits?(?: ?/ ?s| ?/ ?sec|ps)?)|b(?: ?/ ?s|ps)?|ps)?$`)
	// thousands are digits in groups of three, however the groups are parted.
	thousands = regexp.MustCompile(`^[0-9]{1,3}(?:[',. ][0-9]{3})+$`)
)

// nearestBitrate finds the number in 2_000_000, 2e6, 2Mbps and 2000 kbit/s.
func nearestBitrate(k Key, text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "_", "")
	if thousands.MatchString(text) && !bitrateLike.MatchString(text) {
		text = notDigits.ReplaceAllString(text, "")
	}
	m := bitrateLike.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return k.inUnits(bits(m[1], m[2]), m[2] == "")
}

var notDigits = regexp.MustCompile(`[^0-9]`)

// inUnits is the valid bitrate nearest to x. A number without a unit that is
// too small by itself is taken for one in kbit/s, or else in Mbit/s: so other
// programs take it.
func (k Key) inUnits(x float64, bare bool) string {
	for _, unit := range []float64{1e3, 1e6} {
		if scaled := x * unit; bare && x > 0 && x < float64(k.Min) && scaled >= float64(k.Min) && scaled <= float64(k.Max) {
			return Bitrate(k.clamp(scaled)).String()
		}
	}
	return Bitrate(k.clamp(x)).String()
}

// bits rounds away what floating point adds: 2.3 times a million is whole.
func bits(number, suffix string) float64 {
	x, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0 // the forms above admit nothing that does not parse
	}
	switch suffix {
	case "k", "K":
		x *= 1e3
	case "m", "M":
		x *= 1e6
	case "g", "G":
		x *= 1e9
	}
	return math.Round(x*1e3) / 1e3
}
