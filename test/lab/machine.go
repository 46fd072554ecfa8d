//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a guest may take. Emulated, it boots in 15 to 20 s on an idle machine and some minutes on a very busy one; a
// kernel that hardware virtualisation doesn't run at once, it doesn't run at all.
const (
	bootLimit     = 240 * time.Second
	kvmTrialLimit = 15 * time.Second
)

// Machine is a running guest. Run and Start carry commands into it and are safe for concurrent use.
type Machine struct {
	BootTime time.Duration // from QEMU's start to the agent's readiness
	Accel    string        // kvm or tcg
	Share    string        // a directory that the guest sees, writable, as /mnt/share

	cmd     *exec.Cmd
	console *console
	client  *http.Client
	exited  chan struct{}
}

// Boot starts a guest from what prepare.sh made in dir, attached to the tap device of this network namespace, and
// returns when it takes commands. It uses hardware virtualisation where that works. The caller closes it.
func Boot(ctx context.Context, dir string) (*Machine, error) {
	share, err := os.MkdirTemp("", "boardcast-lab-")
	if err != nil {
		return nil, err
	}
	if err := fillShare(share, dir); err != nil {
		return nil, err
	}
	if kvmUsable(dir) {
		m, err := start(ctx, dir, share, "kvm")
		rememberKVM(dir, err == nil)
		if err == nil {
			return m, nil
		}
	}
	return start(ctx, dir, share, "tcg")
}

// fillShare writes what the guest reads first, and the registry of GStreamer's plugins, which the emulated machine
// would take minutes to make.
func fillShare(share, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	script, err := os.ReadFile("guest/start")
	if err != nil {
		return err
	}
	registry := filepath.Join(dir, "registry.bin")
	inspect := exec.CommandContext(context.Background(), "gst-inspect-1.0", "--version")
	inspect.Env = append(os.Environ(), "GST_REGISTRY="+registry)
	if out, failure := inspect.CombinedOutput(); failure != nil {
		return fmt.Errorf("make the plugin registry: %w: %s", failure, out)
	}
	plugins, err := os.ReadFile(registry)
	if err != nil {
		return err
	}
	env := fmt.Sprintf("export LAB_AGENT='%s' LAB_MODULES='%s/image' LAB_ADDRESS=%s LAB_BINARY='%s'\n"+
		"export GST_REGISTRY=/mnt/share/registry.bin\n", ":"+agentPort, dir, GuestAddress, self)
	return errors.Join(
		os.WriteFile(filepath.Join(share, "start"), script, 0o600),
		os.WriteFile(filepath.Join(share, "registry.bin"), plugins, 0o600),
		os.WriteFile(filepath.Join(share, "env"), []byte(env), 0o600))
}

// start runs one QEMU and waits for the guest's agent.
func start(ctx context.Context, dir, share, accel string) (*Machine, error) {
	m := &Machine{Accel: accel, Share: share, client: &http.Client{}, exited: make(chan struct{})}
	log, err := os.Create(filepath.Join(dir, "console-"+accel+".log"))
	if err != nil {
		return nil, err
	}
	m.console = newConsole(log)
	m.cmd = exec.CommandContext(context.Background(), "qemu-system-x86_64", arguments(dir, share, accel)...)
	m.cmd.Stdout, m.cmd.Stderr = m.console, m.console
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	go func() {
		defer close(m.exited)
		_ = m.cmd.Wait()
		_ = log.Close()
	}()
	if err := m.awaitBoot(ctx); err != nil {
		m.kill()
		return nil, fmt.Errorf("boot with %s: %w (the console is in %s)\n%s", accel, err, log.Name(), m.console.Tail(30))
	}
	m.BootTime = time.Since(began)
	return m, nil
}

// awaitBoot follows the guest's marks until the agent's. Under KVM the first one must come soon.
func (m *Machine) awaitBoot(ctx context.Context) error {
	limit := time.NewTimer(bootLimit)
	defer limit.Stop()
	if m.Accel == "kvm" {
		limit.Reset(kvmTrialLimit)
	}
	for {
		select {
		case mark := <-m.console.marks:
			switch {
			case mark == markReady:
				return nil
			case strings.HasPrefix(mark, markFail):
				return errors.New(mark)
			case mark == markInit:
				limit.Reset(bootLimit)
			}
		case <-m.exited:
			return errors.New("QEMU ended")
		case <-limit.C:
			return errors.New("out of time")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// arguments returns QEMU's command line.
func arguments(dir, share, accel string) []string {
	cpu, engine := "Nehalem", "tcg,thread=multi,tb-size=512" // an older CPU: AVX2 is slow to emulate
	if accel == "kvm" {
		cpu, engine = "host", "kvm"
	}
	// no_timer_check: on a loaded host an emulated kernel finds its timer dead, and may panic.
	kernel := "console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check random.trust_cpu=on tsc=reliable"
	return []string{
		"-M", "pc", "-accel", engine, "-cpu", cpu, "-smp", "2", "-m", "2048",
		"-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio", "-device", "virtio-rng-pci",
		"-kernel", filepath.Join(dir, "vmlinux"), "-initrd", filepath.Join(dir, "initramfs.cpio"), "-append", kernel,
		"-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
		"-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
		"-fsdev", "local,id=share,path=" + share + ",security_model=none,multidevs=remap",
		"-device", "virtio-9p-pci,fsdev=share,mount_tag=share",
		"-netdev", "tap,id=net,ifname=" + tapName + ",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=net,romfile=",
	}
}

// Close turns the guest off and removes its share. It returns when QEMU is gone.
func (m *Machine) Close() {
	m.kill()
	_ = os.RemoveAll(m.Share)
}

func (m *Machine) kill() {
	_ = m.cmd.Process.Kill()
	<-m.exited
}
