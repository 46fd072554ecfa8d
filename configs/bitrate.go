package configs

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
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

var (
	bitrateForm = regexp.MustCompile(`^(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)([kKM]?)$`)
	bitrateLike = regexp.MustCompile(`^\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([kKmMgG]?)`)
)

func parseBitrate(k Key, text string) (any, *fault) {
	m := bitrateForm.FindStringSubmatch(text)
	if m == nil {
		return nil, &fault{
			fmt.Sprintf("%q is not a bitrate, such as 1500k or 2.5M", text),
			nearestBitrate(k, text),
		}
	}
	x := bits(m[1], m[2])
	if x != math.Trunc(x) {
		return nil, &fault{fmt.Sprintf("%s is not a whole number of bits", text), Bitrate(k.clamp(x)).String()}
	}
	if why := k.outside(x, func(n int64) string { return Bitrate(n).String() }); why != "" {
		return nil, &fault{text + " " + why, Bitrate(k.clamp(x)).String()}
	}
	return Bitrate(x), nil
}

func nearestBitrate(k Key, text string) string {
	if m := bitrateLike.FindStringSubmatch(text); m != nil {
		return Bitrate(k.clamp(bits(m[1], m[2]))).String()
	}
	return k.Default()
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
