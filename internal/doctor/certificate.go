package doctor

import (
	"context"
	"fmt"
	"time"
)

// endsSoon is how long before its end a certificate is warned of. The tools that renew certificates do so 30 days before: one that has
// two weeks left was not renewed.
const endsSoon = 14 * 24 * time.Hour

// Certificate describes the certificate that https would show.
type Certificate struct {
	None         bool      // the page is served by http
	Own          bool      // boardcast makes it, and renews it by itself
	Begins, Ends time.Time // zero when there is none yet, or when it cannot be seen
	Err          error     // why it cannot be used; it has a method Hint where something helps
}

// certificate checks the certificate and its key. A browser that is shown one that has ended lets few people go on.
func certificate(_ context.Context, x *exam) Result {
	c, now := x.Certificate(), x.Now()
	const day = "2 January 2006"
	switch {
	case c.None:
		return fine("none: the page is served by http, where browsers lend no microphone for talkback")
	case c.Own && c.Err != nil:
		return warn("boardcast's own: "+c.Err.Error(), "the next start makes another, which browsers warn of again")
	case c.Own && c.Ends.IsZero():
		return fine("boardcast's own, made at the first start and renewed by itself")
	case c.Own:
		return fine("boardcast's own, renewed by itself; this one ends on %s", c.Ends.Format(day))
	case c.Err != nil:
		return fail(c.Err.Error(), hintOf(c.Err, "give the two PEM files that were made together: --tls-cert and --tls-key"))
	case now.After(c.Ends):
		return fail("ended on "+c.Ends.Format(day), "renew it; boardcast takes up the new files by itself")
	case now.Before(c.Begins):
		return warn("begins on "+c.Begins.Format(day)+", and today is "+now.Format(day), "set the clock, or wait until that day")
	case c.Ends.Sub(now) < endsSoon:
		days := int(c.Ends.Sub(now) / (24 * time.Hour))
		return warn(fmt.Sprintf("ends on %s, in %d days", c.Ends.Format(day), days), "renew it; boardcast takes up the new files by itself")
	default:
		return fine("ends on %s", c.Ends.Format(day))
	}
}
