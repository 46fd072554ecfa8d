package places

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

// crowd admits viewers and knows which of them had to give way.
type crowd struct {
	*Limit
	gone []string
}

func (c *crowd) join(name string, from netip.Addr) (*Place, error) {
	<-time.After(time.Millisecond) // each is a little younger
	return c.Admit(from, func() { c.gone = append(c.gone, name) })
}

// Viewers of one address that never connect take no place from those of another, however fast they come.
func TestHalfOpenSessionsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Limit: New(4)}
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
		if _, still := c.places[honest]; !still || len(c.places) != 4 {
			t.Errorf("%d places are taken, the honest viewer's: %t", len(c.places), still)
		}
	})
}

// Where two addresses begin many sessions, a viewer of the one with more gives way. An address with no more viewers than the newcomer's
// loses none.
func TestPlacesAreSharedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Limit: New(6)}
		third := netip.MustParseAddr("192.0.2.3")
		for _, from := range []netip.Addr{here, here, there, there, there, there} {
			if _, err := c.join(from.String(), from); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := c.join("third", third); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{there.String(), there.String()}, c.gone); diff != "" {
			t.Errorf("gave way (-want +got):\n%s", diff)
		}
		c.gone = nil // each of three addresses has two viewers now: a viewer of the newcomer's own address gives way
		if _, err := c.join("third again", third); err != nil || len(c.gone) != 1 || c.gone[0] != "third" {
			t.Errorf("%v, and %q gave way; want the newcomer's own", err, c.gone)
		}
	})
}

func TestConnectedViewersGiveWayToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{Limit: New(2)}
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
	for free, want := range map[int]bool{1000: true, viewerThreads + encoderThreads: true, viewerThreads + encoderThreads - 1: false, 0: false} {
		a := New(10)
		a.ThreadsFree = func() (int, bool) { return free, true }
		if _, err := a.Admit(here, func() {}); (err == nil) != want {
			t.Errorf("with %d threads left: %v", free, err)
		}
	}
}
