//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"sync"
	"time"
)

var errBridgeGone = errors.New("the browser bridge ended")

// bridge is the node process that drives the browsers: requests and answers are JSON lines. Safe for concurrent use.
type bridge struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	closed chan struct{} // the reader has ended
	linger time.Duration // that close gives it to end its browsers by itself

	mu      sync.Mutex
	lastID  int
	pending map[int]chan bridgeMessage
	console map[int][]string // by page
}

type bridgeMessage struct {
	ID      int             `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Page    int             `json:"page"`
	Console string          `json:"console"`
}

func startBridge(n *Network) (*bridge, error) {
	if _, err := os.Stat("browser/node_modules"); err != nil {
		return nil, fmt.Errorf("find the browser drivers (npm ci --prefix test/e2e/browser): %w", err)
	}
	b := &bridge{closed: make(chan struct{}), pending: map[int]chan bridgeMessage{}, console: map[int][]string{}}
	if n == nil {
		b.linger = launchWithin
	}
	b.cmd = n.BrowserSide(context.Background(), "node", "browser/bridge.mjs")
	b.cmd.Stderr = os.Stderr
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	b.stdin = stdin
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the browser bridge: %w", err)
	}
	go b.read(stdout)
	return b, nil
}

func (b *bridge) read(stdout io.Reader) {
	defer close(b.closed)
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var m bridgeMessage
		if err := json.Unmarshal(line, &m); err != nil {
			m = bridgeMessage{Console: "not from the bridge: " + string(line)}
		}
		b.deliver(m)
	}
}

func (b *bridge) deliver(m bridgeMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.ID == 0 {
		b.console[m.Page] = append(b.console[m.Page], time.Now().Format("15:04:05.000 ")+m.Console)
		return
	}
	if answer, ok := b.pending[m.ID]; ok {
		answer <- m
		delete(b.pending, m.ID)
	}
}

// call sends one request and decodes its answer into out, which may be nil.
func (b *bridge) call(ctx context.Context, op string, args map[string]any, out any) error {
	answer := make(chan bridgeMessage, 1)
	id, err := b.send(op, args, answer)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	select {
	case m := <-answer:
		if m.Error != "" {
			return fmt.Errorf("%s: %s", op, m.Error)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(m.Result, out)
	case <-b.closed:
		return fmt.Errorf("%s: %w", op, errBridgeGone)
	case <-ctx.Done():
		b.forget(id)
		return fmt.Errorf("%s: %w", op, ctx.Err())
	}
}

func (b *bridge) send(op string, args map[string]any, answer chan bridgeMessage) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastID++
	request := map[string]any{"id": b.lastID, "op": op}
	maps.Copy(request, args)
	line, err := json.Marshal(request)
	if err != nil {
		return 0, err
	}
	b.pending[b.lastID] = answer
	_, err = b.stdin.Write(append(line, '\n'))
	return b.lastID, err
}

func (b *bridge) forget(id int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pending, id)
}

func (b *bridge) consoleOf(page int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.console[page]
}

// close ends the bridge. In namespaces it is killed: its browsers end with our process namespace, their profiles with our
// tmpfs. Elsewhere it ends them itself, once its stdin has ended.
func (b *bridge) close() {
	if b.linger > 0 {
		_ = b.stdin.Close()
		timer := time.NewTimer(b.linger)
		defer timer.Stop()
		select {
		case <-b.closed:
		case <-timer.C:
		}
	}
	_ = b.cmd.Process.Kill()
	<-b.closed
	_ = b.cmd.Wait()
}
