package doctor

import "testing"

func TestAccess(t *testing.T) {
	hint := "take open out of the settings: `boardcast key` shows the links of whom you want to let in"
	table(t, "access", []Status{OK, Warning}, []row{
		{"keys", machine{request: Request{Listen: ":8080"}}, ok("nobody is let in without a key")},
		{"open", machine{request: Request{Listen: ":8080", Open: true}}, warn("open to everybody: whoever reaches :8080 may watch, listen and talk", hint)},
		{"open to one network", machine{request: Request{Listen: "192.168.1.20:80", Open: true}}, warn("open to everybody: whoever reaches 192.168.1.20:80 may watch, listen and talk", hint)},
		{"open to this machine", machine{request: Request{Listen: "127.0.0.1:8080", Open: true}}, ok("open to every program of this machine (127.0.0.1:8080)")},
		{"the same by name", machine{request: Request{Listen: "localhost:8080", Open: true}}, ok("open to every program of this machine (localhost:8080)")},
		{"the same by IPv6", machine{request: Request{Listen: "[::1]:8080", Open: true}}, ok("open to every program of this machine ([::1]:8080)")},
	})
}
