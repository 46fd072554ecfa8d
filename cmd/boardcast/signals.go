package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var errSlowEnd = errors.New("stop: something hangs; ended without waiting for it")

// onSignals returns a context that the first SIGINT or SIGTERM ends. A second
// one calls exit at once, with 128 and the signal's number as shells have it;
// so does, with 1, an orderly end that takes longer than shutdownLimit. stop
// gives the signals back and waits for the goroutine.
func onSignals(parent context.Context, stderr io.Writer, exit func(int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	stopped, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		watch(signals, stopped, cancel, stderr, exit)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(stopped)
		<-watched
		cancel()
	}
}

func watch(signals <-chan os.Signal, stopped <-chan struct{}, cancel func(), stderr io.Writer, exit func(int)) {
	select {
	case <-signals:
		cancel()
	case <-stopped:
		return
	}
	limit := time.NewTimer(shutdownLimit)
	defer limit.Stop()
	select {
	case s := <-signals:
		exit(exitCode(s))
	case <-limit.C:
		printError(stderr, errSlowEnd)
		exit(1)
	case <-stopped:
	}
}

func exitCode(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return 1
}
