package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"boardcast/internal/access"
)

// statusTimeout bounds the wait for the status, which takes a few milliseconds unless something hangs.
const statusTimeout = time.Second

var (
	errStatusLate = errors.New("the status was not ready in time")
	errNotObject  = errors.New("the status is not a JSON object")
)

// status asks the program for its status, on a goroutine of its own and one at a time. A status function that hangs costs one
// goroutine, however often the status is asked for. Every answer comes within statusTimeout.
type status struct {
	ask func() any // the program's status function

	mu      sync.Mutex
	pending *statusCall
}

type statusCall struct {
	done chan struct{} // closed when body and err are set
	body []byte
	err  error
}

func newStatus(ask func() any, version string) *status {
	if ask == nil {
		ask = func() any { return map[string]string{"version": version} }
	}
	return &status{ask: ask}
}

// json returns the status as one JSON object. All who ask while it is being made get the same one.
func (s *status) json(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	c := s.join()
	select {
	case <-c.done:
		return c.body, c.err
	case <-ctx.Done():
		return nil, errStatusLate
	}
}

// join returns the call that is under way, or begins one.
func (s *status) join() *statusCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == nil {
		s.pending = &statusCall{done: make(chan struct{})}
		go s.run(s.pending)
	}
	return s.pending
}

func (s *status) run(c *statusCall) {
	c.body, c.err = render(s.ask())
	s.mu.Lock()
	s.pending = nil
	s.mu.Unlock()
	close(c.done)
}

// wait returns when no call is under way, or when ctx ends. A call that hangs is left behind.
func (s *status) wait(ctx context.Context) {
	s.mu.Lock()
	c := s.pending
	s.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case <-c.done:
	case <-ctx.Done():
	}
}

func render(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal status: %w", err)
	}
	if !bytes.HasPrefix(body, []byte("{")) {
		return nil, errNotObject
	}
	return body, nil
}

func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request) {
	body, err := s.status.json(r.Context())
	s.writeStatus(w, body, err)
}

// cameraList is the answer at /api/cameras.
type cameraList struct {
	Cameras []Camera `json:"cameras"`
}

// serveCameras tells a viewer how the cameras do that its key is for.
func (s *Server) serveCameras(w http.ResponseWriter, r *http.Request) {
	body, err := s.cameras.json(r.Context())
	if grant := GrantOf(r.Context()); err == nil && grant.Cameras != nil {
		body, err = camerasFor(body, grant)
	}
	s.writeStatus(w, body, err)
}

// camerasFor leaves out the cameras that a grant is not for.
func camerasFor(body []byte, grant access.Grant) ([]byte, error) {
	var all cameraList
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("read the cameras: %w", err)
	}
	all.Cameras = slices.DeleteFunc(all.Cameras, func(c Camera) bool { return !grant.May(c.Name) })
	return render(all)
}

// writeStatus answers with a status, or says why there is none.
func (s *Server) writeStatus(w http.ResponseWriter, body []byte, err error) {
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, body)
	case errors.Is(err, errStatusLate):
		s.log.Warn("status is late")
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"error":"the status was not ready in time"}`))
	default:
		s.log.Error("status cannot be shown", slog.Any(keyError, err))
		writeJSON(w, http.StatusInternalServerError, []byte(`{"error":"the status cannot be shown"}`))
	}
}
