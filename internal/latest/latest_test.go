package latest

import (
	"testing"
	"testing/synctest"
)

// A channel keeps the newest value, and the sender waits for no receiver. A sender that waits is a deadlock of the bubble, which fails
// at once.
func TestPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan int, 1)
		for n := range 3 {
			Put(c, n)
		}
		if got := <-c; got != 2 || len(c) != 0 {
			t.Errorf("got %d, with %d more; want 2 alone", got, len(c))
		}
	})
}

// Many pokes that nobody receives are one.
func TestPoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := make(chan struct{}, 1)
		for range 3 {
			Poke(c)
		}
		<-c
		if len(c) != 0 {
			t.Errorf("%d more wait", len(c))
		}
	})
}
