package audience

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

// crowd admits viewers and knows which of them had to give way.
type crowd struct {
	*Audience
	gone []string
}

func (c *crowd) join(name string, from netip.Addr) (*Place, error) {
	<-time.After(time.Millisecond) // each is a little younger
	return c.Admit(from, func() { c.gone = append(c.gone, name) })
}

// Half-open sessions of one address take no place from another's, however fast they come.
func TestHalfOpenSessionsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Audience: New(4)}
		for range 30 {
			if _, err := c.join("flood", here); err != nil {
				t.Fatal(err)
			}
		}
		honest, err := c.join("honest", there)
		if err != nil {
			t.Fatalf("an honest viewer is refused: %v", err)
		}
		for range 10 {
			_, _ = c.join("flood", here)
		}
		for _, name := range c.gone {
			if name == "honest" {
				t.Error("the honest viewer gave way to the flood")
			}
		}
		if _, still := c.seats[honest]; !still || len(c.seats) != 4 {
			t.Errorf("%d places are taken, the honest viewer's: %t", len(c.seats), still)
		}
	})
}

func TestConnectedViewersGiveWayToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Audience: New(2)}
		for _, from := range []netip.Addr{here, there} {
			s, err := c.join("connected", from)
			if err != nil {
				t.Fatal(err)
			}
			c.Connect(s)
		}
		if _, err := c.join("late", there); !errors.Is(err, ErrFull) || len(c.gone) != 0 {
			t.Errorf("a third viewer: %v, %v gave way", err, c.gone)
		}
	})
}

func TestJoinsOfOneAddressAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(1000)
		admitted := 0
		for range 100 {
			if _, err := a.Admit(here, func() {}); err == nil {
				admitted++
			}
		}
		if _, err := a.Admit(there, func() {}); err != nil || admitted != joinBurst {
			t.Errorf("%d of 100 are admitted, want %d; another address: %v", admitted, joinBurst, err)
		}
	})
}

func TestJoinsEndBeforeThreadsDo(t *testing.T) {
	for free, want := range map[int]bool{1000: true, viewerThreads + spareThreads: true, viewerThreads + spareThreads - 1: false, 0: false} {
		a := New(10)
		a.ThreadsFree = func() (int, bool) { return free, true }
		if _, err := a.Admit(here, func() {}); (err == nil) != want {
			t.Errorf("with %d threads left: %v", free, err)
		}
	}
}
