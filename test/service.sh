#!/usr/bin/env bash
# service.sh BASE [ARCH] boots a Debian with the package of dist installed, under systemd, in a virtual machine that has neither
# a camera nor a network, and looks at the service: that it comes up, takes what comes later (a network, a signalling server, a
# camera), reloads, is killed by its watchdog when it is stuck and when only its frames stop, comes back, and ends in time.
#
# amd64 (the default) is a PC; arm64 is QEMU's Raspberry Pi 3, emulated, with Debian's own kernel and device tree. The script is
# `make test-service`. It wants root and Go, and installs what else it lacks. ACCEL=tcg emulates a PC where KVM is not to be
# had or not to be trusted; ROOM=FOLDER keeps the machine's disk there, for a second look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/../internal/packaging/apt.sh
. internal/packaging/apt.sh
# shellcheck source=SCRIPTDIR/root.sh
. test/root.sh

inside_make() { # ARCH
  second_stage "$1"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  # An initramfs of what the machine's disk needs: making one of everything takes an emulated machine minutes.
  mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/usr/share/initramfs-tools/modules.d"
  printf 'MODULES=list\nCOMPRESS=gzip\nCOMPRESSLEVEL=1\n' >"$root/etc/initramfs-tools/conf.d/look"
  printf '%s\n' ext4 virtio_pci virtio_blk bcm2835 sdhci_iproc mmc_block >"$root/usr/share/initramfs-tools/modules.d/look"
  quiet_apt install --no-install-recommends systemd-sysv udev dbus procps iproute2 kmod "linux-image-$1" \
    gstreamer1.0-plugins-ugly /boardcast.deb || { tail "$root/apt.log"; die 'install the machine' 'see above'; }
  in_root passwd -q -d root
  rm "$root/usr/sbin/policy-rc.d"
}

# settle installs in the root the script look with its unit, the command freeze, and an fstab.
settle() { # ARCH
  local unit=$root/etc/systemd/system
  install -m 755 test/service/look "$root/usr/local/bin/look"
  GOOS=linux GOARCH=$1 CGO_ENABLED=0 go build -o "$root/usr/local/bin/freeze" ./test/service/freeze
  cp test/service/look.service "$unit"
  mkdir -p "$unit/multi-user.target.wants"
  ln -s ../look.service "$unit/multi-user.target.wants/look.service"
  printf '/dev/root / ext4 rw 0 1\n' >"$root/etc/fstab"
}

# disk makes the machine's disk and takes its kernel out.
disk() { # ARCH
  root=$work/debian
  first_stage "$1"
  enter make "$1"
  settle "$1"
  mkdir -p "$room"
  cp "$root"/boot/vmlinuz-* "$room/kernel"
  cp "$root"/boot/initrd.img-* "$room/initrd"
  [[ $1 != arm64 ]] || cp "$root"/usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb "$room/tree"
  mke2fs -q -t ext4 -d "$root" "$room/disk" 4G # a card's size is a power of two
  rm -rf --one-file-system "$root"
}

# machine turns this process into the virtual machine. The machine's console is the process's output.
machine() { # ARCH
  local append='rw quiet loglevel=3 systemd.show_status=no' console=(-nographic -no-reboot -monitor none)
  local kernel=(-kernel "$room/kernel" -initrd "$room/initrd")
  local accel=${ACCEL:-kvm}
  local -A processor=([kvm]=host [tcg]=Nehalem)
  if [[ $1 == arm64 ]]; then
    exec qemu-system-aarch64 -M raspi3b "${console[@]}" -serial null -serial stdio "${kernel[@]}" -dtb "$room/tree" \
      -append "root=/dev/mmcblk0 rootwait console=ttyS1,115200 $append" \
      -drive "file=$room/disk,format=raw,if=sd,cache=unsafe,snapshot=on"
  fi
  exec qemu-system-x86_64 -accel "$accel" -cpu "${processor[$accel]}" -smp 2 -m 1024 -nic none "${console[@]}" -serial stdio \
    "${kernel[@]}" -append "root=/dev/vda console=ttyS0 $append" \
    -drive "file=$room/disk,format=raw,if=virtio,cache=unsafe,snapshot=on"
}

# watch prints what the machine says until it is done looking, or out of time.
watch() { # ARCH
  local line
  exec 4< <(machine "$1" </dev/null)
  local pid=$!
  while IFS= read -r -t "${LIMIT:-1500}" -u 4 line; do
    printf '%s\n' "${line//$'\r'/}" | tee -a "$work/said"
    [[ $line != *'end of the look'* ]] || break
  done
  kill "$pid" 2>/dev/null || true
}

main() {
  base=${1:-12}
  local arch=${2:-amd64}
  roots_want "$arch"
  [[ $arch == arm64 || ${ACCEL:-kvm} == tcg || -w /dev/kvm ]] || die 'there is no KVM here' 'ACCEL=tcg does without, some ten times slower'
  room=${ROOM:-$(mktemp -d)} work=$(mktemp -d)
  # shellcheck disable=SC2016 # expanded at the end
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf --one-file-system "$work"; [[ -n ${ROOM-} ]] || rm -rf "$room"' EXIT
  [[ -f $room/disk ]] || disk "$arch"
  watch "$arch"
  grep -q 'end of the look' "$work/said" && ! grep -q FAIL "$work/said"
}

if [[ ${1:-} == --inside ]]; then
  base=$3 root=$5
  register "$4"
  "inside_$2" "$4"
else
  main "$@"
fi
