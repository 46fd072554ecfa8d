package doctor

import (
	"errors"
	"testing"
	"time"
)

func TestCertificate(t *testing.T) {
	const day = 24 * time.Hour
	lasting := func(begins, ends time.Duration) Certificate {
		return Certificate{Begins: now.Add(begins), Ends: now.Add(ends)}
	}
	own := lasting(-day, 20*day)
	own.Own = true
	renew := "renew it; boardcast takes up the new files by itself"
	when := func(d time.Duration) string { return now.Add(d).Format("2 January 2006") }
	table(t, "certificate", []Status{OK, Warning, Failure}, []row{
		{"http", machine{certificate: Certificate{None: true}}, ok("none: the page is served by http, where browsers lend no microphone for talkback")},
		{"lasts", machine{certificate: lasting(-day, 15*day)}, ok("ends on " + when(15*day))},
		{"ends soon", machine{certificate: lasting(-day, 13*day+time.Hour)}, warn("ends on "+when(13*day+time.Hour)+", in 13 days", renew)},
		{"has ended", machine{certificate: lasting(-9*day, -time.Hour)}, fail("ended on "+when(-time.Hour), renew)},
		{"begins later", machine{certificate: lasting(day, 90*day)}, warn("begins on "+when(day)+", and today is "+when(0), "set the clock, or wait until that day")},
		{
			"does not fit its key",
			machine{certificate: Certificate{Err: hinting{errors.New("private key does not match"), "they were not made together"}}},
			fail("private key does not match", "they were not made together"),
		},
		{"our own", machine{certificate: own}, ok("boardcast's own, renewed by itself; this one ends on " + when(20*day))},
		{"our own, not made yet", machine{certificate: Certificate{Own: true}}, ok("boardcast's own, made at the first start and renewed by itself")},
		{
			"our own, damaged",
			machine{certificate: Certificate{Own: true, Err: errors.New("no PEM data")}},
			warn("boardcast's own: no PEM data", "the next start makes another, which browsers warn of again"),
		},
	})
}
