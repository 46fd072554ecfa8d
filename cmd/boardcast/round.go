package main

import (
	"log/slog"
	"math"
)

// perUnit is how finely numbers with a fraction are logged: in thousandths. They are seconds and shares of packets, of which nobody
// reads more.
const perUnit = 1000

// roundNumber is a ReplaceAttr of [slog.HandlerOptions]: it rounds numbers, so that the log has 1.609 and not 1.6093544400000002.
func roundNumber(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindFloat64 {
		a.Value = slog.Float64Value(math.Round(a.Value.Float64()*perUnit) / perUnit)
	}
	return a
}
