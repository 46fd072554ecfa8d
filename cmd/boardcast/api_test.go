package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"boardcast/configs"
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

// TestPageOffersToTalk wants no offer to talk where the settings want no speaker.
func TestPageOffersToTalk(t *testing.T) {
	for speaker, want := range map[string]string{configs.Auto: `"talkback":true`, configs.None: `"talkback":false`} {
		cfg, err := configs.Load(configs.Options{Flags: map[string]string{"audio.speaker": speaker, "listen": "127.0.0.1:0", "open": "true"}})
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		all := newStreams(t.Context(), cfg)
		hub, err := newHub(cfg, all, log)
		if err != nil {
			t.Fatal(err)
		}
		site := newSite(cfg, serving{}, hub, all, log)
		if _, err := site.Listen(); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- site.Run(ctx) }()
		if got := get(t, http.DefaultClient, site.URLs()[0]+"config.json"); !strings.Contains(got, want) {
			t.Errorf("speaker %s: %s, want %s in it", speaker, got, want)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
