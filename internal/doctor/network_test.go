package doctor

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestCandidates(t *testing.T) {
	up := func(name string, addresses ...string) Interface {
		return Interface{Name: name, Running: true, Addresses: addrs(addresses...)}
	}
	list := func(more ...Interface) []Interface { return append([]Interface{lan[0]}, more...) }
	down := up("eth0", "192.168.1.20")
	down.Running = false
	contained := fstest.MapFS{"run/.containerenv": text("")}
	relayed := Request{STUN: "stun://stun.example.org:3478", TURN: []string{"turn://ann:***@turn.example.org:3478?transport=tcp"}}
	const connect = "connect the board to your network; `ip address` shows what it has"
	const local = "; no STUN or TURN, so for this network only"
	table(t, "candidates", []Status{OK, Warning, Failure}, []row{
		{"one network", machine{}, ok("192.168.1.20 (eth0)" + local)},
		{
			"several, with what libnice leaves out",
			machine{interfaces: list(up("eth0", "192.168.1.20"), up("wlan0", "10.0.0.7", "2001:db8::7"), up("docker0", "172.17.0.1"))},
			ok("192.168.1.20 (eth0), 10.0.0.7 (wlan0), 2001:db8::7 (wlan0)" + local),
		},
		{
			"servers, without who asks them",
			machine{request: relayed},
			ok("192.168.1.20 (eth0); the router's address, by stun://stun.example.org:3478; a relay, by turn://turn.example.org:3478"),
		},
		{
			"bridges of containers alone",
			machine{interfaces: list(down, up("br-12ab", "172.18.0.1"))},
			warn("172.18.0.1 (br-12ab)"+local+"; a network within this machine only", connect),
		},
		{
			"no router",
			machine{interfaces: list(up("eth0", "169.254.7.7"))},
			warn("169.254.7.7 (eth0)"+local+"; an address of its own making: no router gave it one", connect),
		},
		{
			"in a container",
			machine{files: contained, interfaces: list(up("eth0", "172.17.0.2"))},
			warn("172.17.0.2 (eth0)"+local+"; probably the container's own network, which other machines do not reach",
				"start the container with --network host, or publish ice.port and name the host's address in ice.addresses, "+
					"or name a TURN server: --turn"),
		},
		{
			"in a container whose host is named",
			machine{files: contained, interfaces: list(up("eth0", "172.17.0.2")), request: Request{Told: []string{"192.168.1.20"}}},
			ok("172.17.0.2 (eth0); viewers elsewhere are told 192.168.1.20"),
		},
		{"such a network outside a container", machine{interfaces: list(up("eth0", "172.17.0.2"))}, ok("172.17.0.2 (eth0)" + local)},
		{
			"in a container on the host's network",
			machine{files: contained, interfaces: list(up("eth0", "192.168.1.20"), up("docker0", "172.17.0.1"))},
			ok("192.168.1.20 (eth0)" + local),
		},
		{"down", machine{interfaces: list(down)}, fail("no address to offer: no network is up", connect)},
		{
			"left out alone",
			machine{interfaces: list(up("docker0", "172.17.0.1"))},
			fail("no address to offer: only docker0, which WebRTC leaves out", connect),
		},
	})
}

func TestCandidatesUnknown(t *testing.T) {
	h := machine{}.host()
	h.Interfaces = func() ([]Interface, error) { return nil, errors.New("no netlink") }
	got := result(t, Run(t.Context(), h, Request{}), "candidates")
	if got.Status != Warning || got.Hint == "" {
		t.Errorf("%+v", got)
	}
}

// listens is a machine on which a process has port 8080, as /proc shows it to its own user.
func listens(name string) fstest.MapFS {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	return fstest.MapFS{
		"proc/self/comm": text("boardcast\n"),
		"proc/net/tcp": text(head +
			"   0: 0100007F:1F90 0100007F:ABCD 01 00000000:00000000 00:00000000 00000000  1000        0 111 1 0\n" +
			"   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0\n"),
		"proc/net/tcp6": text(head +
			"   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 333 1 0\n"),
		"proc/7/comm":   text("sshd\n"),
		"proc/7/fd/3":   link("socket:[222]"),
		"proc/7/fd/4":   link("socket:[111]"),
		"proc/812/comm": text(name + "\n"),
		"proc/812/fd/0": link("/dev/null"),
		"proc/812/fd/9": link("socket:[333]"),
	}
}

func TestPort(t *testing.T) {
	at := Request{Listen: ":8080"}
	table(t, "port", []Status{OK, Failure}, []row{
		{"free", machine{request: at}, ok(":8080 is free")},
		{
			"another program's",
			machine{request: at, claim: errTaken, files: listens("python3")},
			fail(":8080 is in use by python3 (pid 812)", errTaken.hint),
		},
		{
			"our own",
			machine{request: at, claim: errTaken, files: listens("boardcast")},
			ok(":8080 is in use by boardcast (pid 812): boardcast is running"),
		},
		{"another user's, which answers", machine{request: at, claim: errTaken, answers: true}, ok("boardcast answers on :8080: it is running")},
		{"another user's, which doesn't", machine{request: at, claim: errTaken}, fail("address already in use", errTaken.hint)},
		{
			"another program's that passes itself off",
			machine{request: at, claim: errTaken, files: listens("python3"), answers: true},
			fail(":8080 is in use by python3 (pid 812)", errTaken.hint),
		},
		{
			"not this machine's",
			machine{request: at, claim: hinting{errors.New("listen on 1.2.3.4:80: no address of this machine"), "listen on every address"}},
			fail("listen on 1.2.3.4:80: no address of this machine", "listen on every address"),
		},
	})
}

func TestCamera(t *testing.T) {
	busy := hinting{errors.New("open /dev/video0: in use by another program"), "close the program"}
	forbidden := errors.New("open /dev/video0: not permitted")
	none := Device{Text: "test picture: no camera found", Missing: true, Hint: "plug one in"}
	taken := Device{Text: "HD Cam (/dev/video0): the only camera found", Busy: true, Err: busy}
	at := Request{Listen: ":8080"}
	table(t, "camera", []Status{OK, Warning, Failure}, []row{
		{"there", machine{camera: Device{Text: "HD Cam (/dev/video0): the only camera found"}}, ok("HD Cam (/dev/video0): the only camera found")},
		{"none", machine{camera: none}, warn("test picture: no camera found", "plug one in")},
		{
			"none in a container",
			machine{camera: none, files: fstest.MapFS{".dockerenv": text("")}},
			warn("test picture: no camera found", "let the container have the camera: docker run --device /dev/video0 --group-add video"),
		},
		{"busy", machine{camera: taken}, fail("open /dev/video0: in use by another program", "close the program")},
		{
			"busy, the port is another program's",
			machine{camera: taken, request: at, claim: errTaken, files: listens("python3")},
			fail("open /dev/video0: in use by another program", "close the program"),
		},
		{
			"busy with our own stream",
			machine{camera: taken, request: at, claim: errTaken, files: listens("boardcast")},
			ok("HD Cam (/dev/video0): the only camera found; boardcast, which is running, has it"),
		},
		{
			"forbidden",
			machine{camera: Device{Err: forbidden, Hint: "add yourself"}, request: at, claim: errTaken, answers: true},
			fail("open /dev/video0: not permitted", "add yourself"),
		},
	})
	table(t, "microphone", both, []row{
		{"there", machine{microphone: Device{Text: "HD Cam"}}, ok("HD Cam")},
		{"busy", machine{microphone: Device{Text: "HD Cam", Busy: true, Err: busy}}, warn("open /dev/video0: in use by another program", "close the program")},
	})
}
