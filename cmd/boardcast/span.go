package main

import (
	"errors"
	"strconv"
	"time"
)

// span is a flag's length of time. It takes days and weeks too, which Go leaves out, since a day can have 23 hours.
type span time.Duration

// longest is how long a key can last at most: what ends later than that was mistyped, or is meant for ever.
const longest = span(100 * 365 * 24 * time.Hour)

var (
	errSpan     = errors.New("is not a length of time, such as 90m, 24h, 7d or 2w")
	errSpanLong = errors.New("is longer than a hundred years")
)

// longUnits are the units that Go leaves out.
var longUnits = map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// Set reads a positive length of time.
func (s *span) Set(text string) error {
	d, err := parseSpan(text)
	switch {
	case err != nil || d <= 0:
		return errSpan
	case d > longest:
		return errSpanLong
	}
	*s = d
	return nil
}

func parseSpan(text string) (span, error) {
	if len(text) == 0 || longUnits[text[len(text)-1]] == 0 {
		d, err := time.ParseDuration(text)
		return span(d), err
	}
	unit := longUnits[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	return span(n) * span(unit), err
}

// String returns what Set takes, "" for none.
func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type is what stands for the value in the help.
func (s *span) Type() string { return "duration" }
