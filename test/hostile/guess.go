package hostile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	guessesPerMinute = 10_000
	guessers         = 8           // requests under way at once, so that the pace does not hang on one answer
	admittedWithin   = time.Second // how soon a right key is let in meanwhile
)

// guessKeys tries wrong keys from one address, by headers, cookies and the form. The same address has a right key, and asks by it each
// half second.
func guessKeys(ctx context.Context, s Scene) (string, error) {
	var tried, limited, taken atomic.Int64
	guess := func() error {
		d := s.Door(1)
		d.Key = fmt.Sprintf("%013x%013x", rand.Uint64N(1<<52), rand.Uint64N(1<<52))
		path := []string{"/config.json", "/ws", "/whep", "/api/status"}[tried.Add(1)%4]
		reply, err := d.Request(ctx, http.MethodGet, path, "", "")
		switch {
		case err != nil:
			return err
		case reply.Status == http.StatusTooManyRequests:
			limited.Add(1)
		case reply.Status != http.StatusUnauthorized:
			taken.Add(1)
		}
		return nil
	}
	var wg sync.WaitGroup
	bad := make(chan error, guessers+1)
	for range guessers {
		wg.Go(func() { bad <- every(ctx, guessers*time.Minute/guessesPerMinute, s.For, guess) })
	}
	slowest := time.Duration(0)
	admitted := every(ctx, time.Second/2, s.For, func() error {
		asked := time.Now()
		reply, err := s.Door(1).Request(ctx, http.MethodGet, "/config.json", "", "")
		if err == nil && reply.Status != http.StatusOK {
			err = fmt.Errorf("%w: %d", ErrRefused, reply.Status)
		}
		slowest = max(slowest, time.Since(asked))
		return err
	})
	wg.Wait()
	close(bad)
	all := []error{admitted}
	for err := range bad {
		all = append(all, err)
	}
	found := fmt.Sprintf("%d wrong keys, %d of them answered 429; the right one was let in within %v", tried.Load(), limited.Load(),
		slowest.Round(time.Millisecond))
	if taken.Load() > 0 {
		all = append(all, fmt.Errorf("%d wrong keys were taken", taken.Load()))
	}
	if slowest > admittedWithin {
		all = append(all, fmt.Errorf("the right key waited for %v, want at most %v", slowest, admittedWithin))
	}
	if least := int64(s.For.Minutes() * guessesPerMinute / 2); tried.Load() < least || limited.Load() == 0 {
		all = append(all, fmt.Errorf("%d keys were tried, want %d at least, and some answered 429", tried.Load(), least))
	}
	return found, errors.Join(all...)
}
