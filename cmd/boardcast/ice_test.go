package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"boardcast/configs"
)

// TestPortOfICETaken: an error names the port, and its hint the setting.
func TestPortOfICETaken(t *testing.T) {
	var config net.ListenConfig
	other, err := config.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := other.Addr().(*net.TCPAddr).Port
	cfg, err := configs.Load(configs.Options{Flags: map[string]string{"ice.tcp-port": strconv.Itoa(port)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = newPaths(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("error %v", err)
	}
	if !slices.ContainsFunc(hints(err), func(h string) bool { return strings.Contains(h, "ice.tcp-port") }) {
		t.Errorf("hints %q", hints(err))
	}
}

// TestICEOptions: what the settings say reaches the paths, and a range that is too small is told of.
func TestICEOptions(t *testing.T) {
	cfg, err := configs.Load(configs.Options{Flags: map[string]string{
		"ice.port": "50000-50003", "ice.tcp-port": "8081", "ice.addresses": "203.0.113.7", "ice.interfaces": "eth*", "ice.leave-out": "eth1",
		"ice.turn-rest": "turn://t", "ice.turn-secret": "north", "ice.turn-lifetime": "1h", "ice.stun": "stun://s", "ice.turn": "turn://u:p@a",
	}})
	if err != nil {
		t.Fatal(err)
	}
	o := iceOptions(cfg, nil)
	if o.Ports.First != 50000 || o.Ports.Last != 50003 || o.TCPPort != 8081 || len(o.Advertised) != 1 || len(o.Interfaces) != 1 ||
		len(o.LeaveOut) != 1 || o.Secret != "north" || o.Lifetime.Hours() != 1 || len(o.Shared) != 1 || len(o.TURN) != 1 || o.STUN == "" {
		t.Error("a setting is lost") // the options hold a secret and are not printed
	}
	servers := iceServers(cfg)()
	if len(servers) != 3 || servers[2].Credential == "" || servers[2].Credential == "north" {
		t.Errorf("%d servers", len(servers))
	}
	if players := playerServers(cfg)(); len(players) != 3 || players[2].URL != servers[2].URLs[0] {
		t.Errorf("players have %d servers", len(players))
	}
	cfg.ICE.TCPPort = 0
	var log bytes.Buffer
	if _, err := newPaths(t.Context(), cfg, slog.New(slog.NewTextHandler(&log, nil))); err != nil || !strings.Contains(log.String(), "fewer ports than viewers") {
		t.Errorf("%v, log %s", err, log.String())
	}
}
