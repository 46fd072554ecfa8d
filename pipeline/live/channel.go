package live

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxRequest bounds one data channel request in bytes. No method takes parameters of nearly that size.
const maxRequest = 16 << 10

// maxID bounds the id of a request in bytes, since the reply repeats it. A UUID has 38 with its quotes.
const maxID = 64

// request calls a method by name, over the data channel.
type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type reply struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Result any             `json:"result,omitempty"`
	Error  *replyError     `json:"error,omitempty"`
}

type replyError struct {
	Message string `json:"message"`
}

// Methods answers data channel requests by name; params is raw JSON or nil. A method must not block.
type Methods map[string]func(params json.RawMessage) (any, error)

// answer makes the reply to one message. A text that is no request, such as the greeting of another program, gets none.
func (m Methods) answer(text string) (string, bool) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return "", false
	}
	var q request
	var r reply
	switch err := decode(text, &q); {
	case err != nil:
		r.Error = &replyError{err.Error()}
	case q.Method == "" && q.ID == nil:
		return "", false
	default:
		r = m.call(q)
	}
	out, err := json.Marshal(r)
	if err != nil {
		return `{"error":{"message":"make reply"}}`, true
	}
	return string(out), true
}

func decode(text string, q *request) error {
	if len(text) > maxRequest {
		return fmt.Errorf("read request: %d bytes are more than %d", len(text), maxRequest)
	}
	if err := json.Unmarshal([]byte(text), q); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	if len(q.ID) > maxID {
		q.ID = nil
		return fmt.Errorf("read request: id is longer than %d bytes", maxID)
	}
	return nil
}

func (m Methods) call(q request) reply {
	f, ok := m[q.Method]
	if !ok {
		return reply{ID: q.ID, Error: &replyError{fmt.Sprintf("no method %q", q.Method)}}
	}
	result, err := f(q.Params)
	if err != nil {
		return reply{ID: q.ID, Error: &replyError{err.Error()}}
	}
	return reply{ID: q.ID, Result: result}
}
