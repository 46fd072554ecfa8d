//go:build lab

package lab

import (
	"os"
	"path/filepath"
	"strings"
)

// kvmUsable says whether hardware virtualisation is there and isn't known to fail: in some machines that are virtual
// themselves a guest hangs in its first instructions, and finding out takes a while.
func kvmUsable(dir string) bool {
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = device.Close()
	verdict, err := os.ReadFile(kvmVerdict(dir))
	return err != nil || string(verdict) != "no "+hostBoot()
}

// rememberKVM keeps the outcome of a trial until the host is booted again.
func rememberKVM(dir string, works bool) {
	if works {
		_ = os.Remove(kvmVerdict(dir))
		return
	}
	_ = os.WriteFile(kvmVerdict(dir), []byte("no "+hostBoot()), 0o600)
}

func kvmVerdict(dir string) string { return filepath.Join(dir, "kvm.verdict") }

func hostBoot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}
