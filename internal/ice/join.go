package ice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// acceptPause is how long accepting rests after an error, as when there is no descriptor left.
const acceptPause = 100 * time.Millisecond

// acceptAll serves each connection in a goroutine of its own until ctx ends. It closes the listener, ends the connections and waits.
func acceptAll(ctx context.Context, at net.Listener, serve func(context.Context, net.Conn)) error {
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = at.Close() })
	defer stop()
	for {
		c, err := at.Accept()
		switch {
		case err == nil:
			serving.Go(func() {
				stop := context.AfterFunc(ctx, func() { _ = c.Close() })
				defer stop()
				serve(ctx, c)
			})
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept: %w", err)
		default:
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(acceptPause):
			}
		}
	}
}

// join hands bytes on between two connections, and closes both when one of them ends or ctx does.
func join(ctx context.Context, a, b net.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = b.Close() })
	defer stop()
	var both sync.WaitGroup
	hand := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // either end may go at any time
		_ = to.Close()
		_ = from.Close()
	}
	both.Go(func() { hand(a, b) })
	both.Go(func() { hand(b, a) })
	both.Wait()
}

// cutColon cuts a text at its first colon.
func cutColon(text []byte) (before, after string, ok bool) {
	b, a, ok := bytes.Cut(text, []byte(":"))
	return string(b), string(a), ok
}
