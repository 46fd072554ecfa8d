//go:build lab

package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Browser is a headless Chromium on the host's end of the tap, driven over a pipe by the DevTools protocol: the lab
// needs no Node for it. Its methods are safe for concurrent use.
type Browser struct {
	cmd     *exec.Cmd
	profile string
	input   *os.File
	output  *os.File
	done    chan struct{} // closed when no more answers come

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
}

// answer is one message of the protocol: a reply, when it has an ID; events have none and are ignored.
type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// errBrowserGone is the answer to a request whose browser has ended.
var errBrowserGone = errors.New("the browser has ended")

// Launch starts a browser with a profile of its own, and with flags besides the usual. The caller closes it.
func Launch(flags ...string) (*Browser, error) {
	profile, err := os.MkdirTemp("", "boardcast-lab-browser-")
	if err != nil {
		return nil, err
	}
	requests, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	output, replies, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--mute-audio",
		"--autoplay-policy=no-user-gesture-required", "--user-data-dir=" + profile, "--remote-debugging-pipe",
	}, flags...)
	cmd := exec.CommandContext(context.Background(), "chromium", append(args, "about:blank")...)
	cmd.ExtraFiles = []*os.File{requests, replies} // descriptors 3 and 4, as the protocol has it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	_ = requests.Close()
	_ = replies.Close()
	if err != nil {
		_ = input.Close()
		_ = output.Close()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	b := &Browser{
		cmd: cmd, profile: profile, input: input, output: output,
		done: make(chan struct{}), waiting: make(map[int]chan answer),
	}
	go b.read()
	return b, nil
}

// read hands each reply to the request that waits for it.
func (b *Browser) read() {
	defer close(b.done)
	r := bufio.NewReader(b.output)
	for {
		message, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(bytes.TrimSuffix(message, []byte{0}), &a) != nil || a.ID == 0 {
			continue
		}
		b.mu.Lock()
		reply := b.waiting[a.ID]
		delete(b.waiting, a.ID)
		b.mu.Unlock()
		if reply != nil {
			reply <- a
		}
	}
}

// call makes one request, in a page's session or, when that is empty, of the browser, and decodes its result.
func (b *Browser) call(ctx context.Context, session, method string, params, result any) error {
	id, reply, err := b.send(session, method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-reply:
		if a.Error != nil {
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return json.Unmarshal(a.Result, result)
	case <-b.done:
		return fmt.Errorf("%s: %w", method, errBrowserGone)
	case <-ctx.Done():
		b.mu.Lock()
		delete(b.waiting, id)
		b.mu.Unlock()
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (b *Browser) send(session, method string, params any) (int, chan answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	request := map[string]any{"id": b.last, "method": method, "params": params}
	if session != "" {
		request["sessionId"] = session
	}
	message, err := json.Marshal(request)
	if err != nil {
		return 0, nil, err
	}
	reply := make(chan answer, 1)
	b.waiting[b.last] = reply
	if _, err := b.input.Write(append(message, 0)); err != nil {
		delete(b.waiting, b.last)
		return 0, nil, err
	}
	return b.last, reply, nil
}

// Page is one tab.
type Page struct {
	browser *Browser
	session string
}

// Open opens a page of its own and goes to the address. It returns when the new document is there, before it is loaded.
// The script has run in it before the document's own ones.
func (b *Browser) Open(ctx context.Context, url, script string) (*Page, error) {
	var target struct{ TargetID string }
	if err := b.call(ctx, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return nil, err
	}
	var attached struct{ SessionID string }
	params := map[string]any{"targetId": target.TargetID, "flatten": true}
	if err := b.call(ctx, "", "Target.attachToTarget", params, &attached); err != nil {
		return nil, err
	}
	p := &Page{browser: b, session: attached.SessionID}
	var ignored struct{}
	for _, step := range []struct {
		method string
		params map[string]any
	}{
		{"Page.enable", map[string]any{}},
		{"Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": script}},
	} {
		if err := b.call(ctx, p.session, step.method, step.params, &ignored); err != nil {
			return nil, err
		}
	}
	return p, p.navigate(ctx, url)
}

func (p *Page) navigate(ctx context.Context, url string) error {
	var navigated struct{ ErrorText string }
	if err := p.browser.call(ctx, p.session, "Page.navigate", map[string]any{"url": url}, &navigated); err != nil {
		return err
	}
	if navigated.ErrorText != "" {
		return fmt.Errorf("go to %s: %s", url, navigated.ErrorText)
	}
	return nil
}

// Eval evaluates an expression in the page, waits for the promise if it is one, and decodes its value into result,
// unless that is nil.
func (p *Page) Eval(ctx context.Context, expression string, result any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	params := map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}
	if err := p.browser.call(ctx, p.session, "Runtime.evaluate", params, &got); err != nil {
		return err
	}
	if e := got.ExceptionDetails; e != nil {
		return fmt.Errorf("in the page: %s %s", e.Text, e.Exception.Description)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(got.Result.Value, result)
}

// Call calls a function, given as an expression, with one argument, and goes on as Eval does.
func (p *Page) Call(ctx context.Context, function string, argument, result any) error {
	value, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	return p.Eval(ctx, function+"("+string(value)+")", result)
}

// Close ends the browser and removes its profile.
func (b *Browser) Close() {
	_ = b.input.Close()
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	_ = b.cmd.Wait()
	<-b.done
	_ = b.output.Close()
	_ = os.RemoveAll(b.profile)
}
