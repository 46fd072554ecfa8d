//go:build e2e

package e2e

import (
	"testing"
	"time"

	"boardcast/test/hostile"
)

// How long a server floods the program, so that its connections in a row are seen too, and what the program may take.
const (
	serverFloods = 6 * time.Second
	serverCores  = 0.4 // at worst
)

// TestHostileServer has the program register at servers that flood it. It hangs up, comes back ever more rarely, and takes
// little of the machine.
func TestHostileServer(t *testing.T) {
	asService(t)
	for _, server := range hostile.Servers() {
		t.Run(server.Name, func(t *testing.T) {
			address := serve(t, server)
			args := []string{"--id", "board"}
			if server.Room {
				args = []string{"--room", "hall"}
			}
			program := start(t, append([]string{
				"--camera", "test", "--microphone", "test", "--width", "160", "--height", "120", "--server", "ws://" + address + "/ws",
			}, args...)...)
			began := time.Now()
			waitFor(t, "a first connection", func() bool { return server.Calls.Load() > 0 })
			watch := watchUsage(program.PID())
			pause(serverFloods)
			worst := watch()
			written := program.bytes("stderr")
			t.Logf("%-38s %d messages in %d connections | %v | log %d kB", server.Name, server.Sent.Load(), server.Calls.Load(), worst, written>>10)
			if server.Sent.Load() == 0 {
				t.Error("nothing was sent")
			}
			if worst.cores > serverCores {
				t.Errorf("%.2f cores at worst, want at most %.2f", worst.cores, serverCores)
			}
			if most := hostileThreads + threadsEach*16; worst.threads > most {
				t.Errorf("%d threads at worst, want at most %d", worst.threads, most)
			}
			if most := hostileLog + int(time.Since(began).Seconds()*hostileLogRate); written > most {
				t.Errorf("the program wrote %d bytes on stderr, want at most %d", written, most)
			}
		})
	}
}
