package live

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

var testMethods = Methods{
	"ping": func(json.RawMessage) (any, error) { return "pong", nil },
	"echo": func(p json.RawMessage) (any, error) { return p, nil },
	"fail": func(json.RawMessage) (any, error) { return nil, errors.New("no camera") },
}

var requests = []struct{ name, text, want string }{
	{"ping", `{"id":1,"method":"ping"}`, `{"id":1,"result":"pong"}`},
	{"id as text", `{"id":"a","method":"ping","params":{}}`, `{"id":"a","result":"pong"}`},
	{"parameters", `{"id":2,"method":"echo","params":[1]}`, `{"id":2,"result":[1]}`},
	{"failure", `{"id":3,"method":"fail"}`, `{"id":3,"error":{"message":"no camera"}}`},
	{"unknown method", `{"id":4,"method":"x"}`, `{"id":4,"error":{"message":"no method \"x\""}}`},
	{"half JSON", `{"id":5,`, `{"error":{"message":"read request: unexpected end of JSON input"}}`},
	{"wrong type", `{"id":6,"method":7}`, `"error"`},
	{"too long", `{"id":7,"method":"` + strings.Repeat("x", maxRequest) + `"}`, `bytes are more than`},
	{"long id", `{"id":"` + strings.Repeat("x", 80) + `","method":"ping"}`, `"error":{"message":"read request: id is longer`},
	{"another program's greeting", `Hi! from GStreamer`, ""},
	{"an object that asks nothing", `{"hello":"world"}`, ""},
	{"empty", ``, ""},
}

func TestChannelRequests(t *testing.T) {
	for _, c := range requests {
		got, ok := testMethods.answer(c.text)
		if ok != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: answer = %q, %t; want %q", c.name, got, ok, c.want)
		}
	}
}

func FuzzChannelRequest(f *testing.F) {
	for _, c := range requests {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := testMethods.answer(text)
		if ok && !json.Valid([]byte(got)) {
			t.Errorf("answer %q is no JSON", got)
		}
	})
}
