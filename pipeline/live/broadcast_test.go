package live

import (
	"errors"
	"testing"
	"testing/synctest"

	"boardcast/pipeline/places"
)

func TestBroadcastIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, e := startBroadcast(t, Options{Limit: places.New(2)})
		first := joinConnected(t, b, e)
		joinConnected(t, b, e)
		if _, err := b.Join("third", places.Origin{}, func(Message) {}); !errors.Is(err, places.ErrFull) {
			t.Fatalf("third viewer: %v, want ErrFull", err)
		}
		first.Close()
		<-first.Done()
		synctest.Wait()
		if _, err := b.Join("third", places.Origin{}, func(Message) {}); err != nil {
			t.Fatalf("after one left: %v", err)
		}
	})
}

func TestViewerLimitOfTwoBroadcasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Limit: places.New(2)}
		front, e := startBroadcast(t, o)
		rear, other := startBroadcast(t, o)
		first := joinConnected(t, front, e)
		joinConnected(t, rear, other)
		for _, b := range []*Broadcast{front, rear} {
			if _, err := b.Join("third", places.Origin{}, func(Message) {}); !errors.Is(err, places.ErrFull) {
				t.Fatalf("third viewer: %v, want ErrFull", err)
			}
		}
		first.Close()
		<-first.Done()
		synctest.Wait()
		if _, err := rear.Join("third", places.Origin{}, func(Message) {}); err != nil {
			t.Fatalf("after one left the other camera: %v", err)
		}
	})
}
