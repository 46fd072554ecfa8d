#!/usr/bin/env bash
# service.sh BASE boots a Debian with the amd64 package of dist installed, under systemd, in a virtual machine that has
# neither a camera nor a network, and looks at the service: that it comes up, reloads, is killed by its watchdog when it
# hangs, comes back, and ends in time. It wants root, debootstrap and qemu-system-x86_64. ACCEL=tcg emulates where KVM is not to
# be had or not to be trusted; ROOM keeps the machine's disk in a folder, for a second look.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/../internal/packaging/apt.sh
. internal/packaging/apt.sh

# guest is what runs in the machine: a script, and the unit that starts it.
guest() { # ROOT
  cat >"$1/usr/local/bin/look" <<'LOOK'
#!/bin/bash
show() { systemctl show --value -p "$1" boardcast; }
ready() { # PORT
  local status
  status=$( (exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET /api/status HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3 && cat <&3) 2>/dev/null)
  [[ $status == *\"ready\":*true* ]]
}
# within SECONDS WHAT COMMAND... says how long it took until the command succeeded.
within() {
  local limit=$1 what=$2 begin=${EPOCHREALTIME/./}
  shift 2
  until "$@"; do
    if (( ${EPOCHREALTIME/./} - begin > limit * 1000000 )); then echo "FAIL: $what: not within $limit s"; return; fi
    sleep 0.1
  done
  echo "ok: $what: $(( (${EPOCHREALTIME/./} - begin) / 1000 )) ms"
}
is() { [[ $(show "$1") == "$2" ]]; }
restarted() { (( $(show NRestarts) > $1 )) && is ActiveState active; }
logged() { journalctl -u boardcast -o cat | grep -q "$1"; }

cd /
echo "boot: no camera: $(ls /dev/video* 2>/dev/null | wc -l) nodes; no network: $(ls /sys/class/net)"
within 120 'active' is ActiveState active
within 10 'serves the page' ready 8080
echo "user and groups: $(ps -o user:12=,supgrp= -p "$(show MainPID)")"
systemctl status --no-pager --lines=0 boardcast
cpu=$(show CPUUsageNSec); sleep 60
echo "idle: $(( ($(show CPUUsageNSec) - cpu) / 600000 ))e-5 cores, $(( $(show MemoryCurrent) / 1000000 )) MB of its cgroup, RSS $(ps -o rss= -p "$(show MainPID)") kB"

pid=$(show MainPID)
sed -i 's/^listen: .*/listen: ":8081"/' /etc/boardcast/boardcast.yaml
systemctl reload boardcast
within 30 'reloaded: on another port' ready 8081
within 30 'reloaded: active' is ActiveState active
is MainPID "$pid" && is NRestarts 0 && echo 'ok: the same process, no restart' || echo 'FAIL: another process'
sed -i 's/^listen: .*/lisetn: ":8082"/' /etc/boardcast/boardcast.yaml
systemctl reload boardcast
within 5 'a mistake in the settings is named' logged 'the settings in force stay'
ready 8081 && echo 'ok: and it goes on' || echo 'FAIL: it does not go on'
sed -i 's/^lisetn: .*/listen: ":8080"/' /etc/boardcast/boardcast.yaml

kill -STOP "$(show MainPID)"
within 60 'hangs: killed by its watchdog, and back' restarted 0
within 10 'and serves' ready 8080
logged 'failed with result .watchdog' || journalctl -b -o cat | grep -q "boardcast.service: Failed with result 'watchdog'" && echo 'ok: it was the watchdog'
kill -KILL "$(show MainPID)"
within 60 'killed: back' restarted 1
begin=${EPOCHREALTIME/./}
systemctl stop boardcast
took=$(( (${EPOCHREALTIME/./} - begin) / 1000 ))
if (( took < 3000 )) && is Result success; then echo "ok: stopped in $took ms"; else echo "FAIL: stopped in $took ms, $(show Result)"; fi
systemd-analyze security --no-pager boardcast | tail -n 1
journalctl -u boardcast -b --no-pager -o short | tail -n 40
echo 'end of the look'
systemctl poweroff
LOOK
  chmod 755 "$1/usr/local/bin/look"
  cat >"$1/etc/systemd/system/look.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/look
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target multi-user.target
UNIT
  mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
  ln -s ../look.service "$1/etc/systemd/system/multi-user.target.wants/look.service"
}

make_root() { # ROOT
  local site
  site=$(sources "$base" | awk '!/security/ { for (i = 1; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }')
  mkdir -p "$cache"/{debootstrap-$base-amd64,archives-$base-amd64/partial}
  debootstrap --variant=minbase --cache-dir="$cache/debootstrap-$base-amd64" "${codenames[$base]}" "$1" "$site"
  sources "$base" | sed 's/ \[signed-by=[^]]*\]//' >"$1/etc/apt/sources.list"
  cp /etc/resolv.conf "$1/etc/resolv.conf"
  cp dist/*"~deb${base}_amd64.deb" "$1/boardcast.deb"
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
  mount --bind "$cache/archives-$base-amd64" "$1/var/cache/apt/archives"
  chroot "$1" env DEBIAN_FRONTEND=noninteractive bash -ec '
    apt-get -q=2 update
    apt-get -q=2 -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends systemd-sysv udev dbus procps linux-image-amd64 gstreamer1.0-plugins-ugly /boardcast.deb
    passwd -d root'
  umount "$1/var/cache/apt/archives"
  rm "$1/usr/sbin/policy-rc.d"
  printf '/dev/vda / ext4 rw 0 1\n' >"$1/etc/fstab"
}

main() {
  base=${1:-12} cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-roots accel=${ACCEL:-kvm}
  [[ $(id -u) == 0 ]] || die 'a root wants root' "sudo $0"
  [[ $accel == tcg || -w /dev/kvm ]] || die 'there is no KVM here' 'ACCEL=tcg does without, some ten times slower'
  if [[ -z ${SERVICE_MOUNTS-} ]]; then SERVICE_MOUNTS=1 exec unshare --mount "$0" "$@"; fi
  room=${ROOM:-$(mktemp -d)} work=$(mktemp -d)
  # shellcheck disable=SC2016 # expanded at the end
  trap 'umount "$work/debian/var/cache/apt/archives" 2>/dev/null || true
    rm -rf --one-file-system "$work"; [[ -n ${ROOM-} ]] || rm -rf "$room"' EXIT
  if [[ ! -f $room/disk ]]; then
    make_root "$work/debian" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; die 'make a root' 'see above'; }
    guest "$work/debian"
    mkdir -p "$room"
    cp "$work"/debian/boot/vmlinuz-* "$room/kernel"
    cp "$work"/debian/boot/initrd.img-* "$room/initrd"
    mke2fs -q -t ext4 -d "$work/debian" "$room/disk" 3G
  fi
  declare -A processor=([kvm]=host [tcg]=Nehalem)
  timeout 1500 qemu-system-x86_64 -accel "$accel" -cpu "${processor[$accel]}" -smp 2 -m 1024 -nic none -nographic -no-reboot \
    -kernel "$room/kernel" -initrd "$room/initrd" -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=3 systemd.show_status=no' \
    -drive "file=$room/disk,format=raw,if=virtio,cache=unsafe,snapshot=on" </dev/null | tee "$work/said" | sed -u 's,\r,,g'
  grep -q 'end of the look' "$work/said" && ! grep -q FAIL "$work/said"
}

main "$@"
