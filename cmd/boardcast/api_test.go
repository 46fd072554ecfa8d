package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestStatusIsDocumented wants each member of the status in docs/API.md.
func TestStatusIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]bool{}
	collectMembers(members, reflect.TypeFor[statusReply]())
	collectMembers(members, reflect.TypeFor[serverReply]())
	for name := range members {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/API.md does not mention %q", name)
		}
	}
	t.Logf("members of the status: %d", len(members))
}

// collectMembers adds the names that encoding/json gives to the fields of a type, and of all types in it.
func collectMembers(into map[string]bool, of reflect.Type) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.Implements(reflect.TypeFor[json.Marshaler]()) {
		return
	}
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if field.Anonymous {
			collectMembers(into, field.Type) // its members are the outer object's
			continue
		}
		if field.IsExported() && name != "-" {
			into[name] = true
			collectMembers(into, field.Type)
		}
	}
}
