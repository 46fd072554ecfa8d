#!/usr/bin/env bash
# packages.sh BASE [ARCH...] installs what `make packages` has left in dist into fresh Debian roots and tries it there:
# amd64 natively, arm64 and armhf by qemu-user. It wants root, and debootstrap, lintian, qemu-user-static.
#
# The roots live in a user namespace of their own, where the emulator is registered too (Linux 6.7): the machine's own
# binfmt_misc is left alone. Packages that were fetched once are kept in ${XDG_CACHE_HOME:-~/.cache}/boardcast-roots.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/../internal/packaging/apt.sh
. internal/packaging/apt.sh

failures=0
# check WHAT COMMAND... says how it went, with what the command said when it did not go well.
check() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    printf '  ok    %s\n' "$what"
  else
    printf '  FAIL  %s\n%s\n' "$what" "$said"
    failures=$((failures + 1))
  fi
}

# ---- what needs no root

check_files() {
  printf '== the files\n'
  check 'SHA256SUMS' bash -c 'cd dist && sha256sum --quiet --check SHA256SUMS'
  check 'lintian: no errors' lintian --fail-on error dist/*"~deb${base}"_*.deb
  lintian dist/*"~deb${base}"_*.deb 2>/dev/null | sed 's/^/        /' || true
}

# check_unit has systemd read the unit; the program stands where the package would put it.
check_unit() {
  local tree=$work/tree unit=$work/boardcast.service packages
  packages=(dist/*"~deb${base}"_*.deb)
  printf '== the unit\n'
  mkdir "$tree"
  dpkg-deb --extract "${packages[0]}" "$tree"
  sed "s,=/usr/bin/,=$tree/usr/bin/," "$tree/usr/lib/systemd/system/boardcast.service" >"$unit"
  sed -i '/^WorkingDirectory=/d' "$unit"
  check 'systemd-analyze verify: nothing to say' bash -c "said=\$(systemd-analyze verify --man=no '$unit' 2>&1 | grep boardcast); [[ -z \$said ]] || { echo \"\$said\"; false; }"
  check 'systemd-analyze security: at most 2.5' systemd-analyze security --offline=true --threshold=25 --no-pager "$unit"
  systemd-analyze security --offline=true --no-pager "$unit" | tail -n 1 | sed 's/^/        /'
}

# ---- a root

first_stage() { # ARCH
  local site
  site=$(sources "$base" | awk '!/security/ { for (i = 1; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }')
  mkdir -p "$cache/debootstrap-$base-$1" "$cache/archives-$base-$1/partial"
  debootstrap --foreign --arch="$1" --variant=minbase --cache-dir="$cache/debootstrap-$base-$1" \
    "${codenames[$base]}" "$root" "$site" >"$work/first-stage.log" ||
    { tail "$work/first-stage.log"; die "debootstrap for $1 did not succeed" "see above"; }
  sources "$base" | sed 's/ \[signed-by=[^]]*\]//' >"$root/etc/apt/sources.list"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp dist/*"~deb${base}_$1.deb" "$root/boardcast.deb"
}

# enter runs this script again in namespaces of its own, as their root. Users keep their numbers, so that a root's files
# belong to whom they should; unshare itself can only map one, hence by hand.
enter() { # ARCH
  local go=$work/go-$1 own its pid
  own=$(readlink /proc/self/ns/user)
  mkfifo "$go"
  # shellcheck disable=SC2016 # expanded inside
  unshare --user --mount --pid --fork --kill-child \
    bash -c 'read -r <"$1"; shift; exec setpriv --reuid 0 --regid 0 --clear-groups "$@"' \
    enter "$go" test/packages.sh --inside "$base" "$1" "$root" &
  pid=$!
  until its=$(readlink "/proc/$pid/ns/user") && [[ $its != "$own" ]]; do sleep 0.1; done
  echo '0 0 65536' >"/proc/$pid/uid_map"
  echo '0 0 65536' >"/proc/$pid/gid_map"
  echo >"$go"
  wait "$pid"
}

register() { # ARCH
  local -A emulated=([arm64]=aarch64 [armhf]=arm)
  [[ -n ${emulated[$1]-} ]] || return 0
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null ||
    die "$1 can't be emulated: this kernel has no binfmt_misc for a user namespace" "Linux 6.7 has"
  cat "/usr/lib/binfmt.d/qemu-${emulated[$1]}.conf" >/proc/sys/fs/binfmt_misc/register
}

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

quiet_apt() { in_root apt-get -q=2 -y -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "$@" >"$root/apt.log" 2>&1; }

# serves starts the program as the service's user and asks it how it is until it has GStreamer ready.
serves() {
  in_root bash -c '
    setpriv --reuid boardcast --regid boardcast --init-groups env HOME=/tmp GST_REGISTRY=/tmp/registry.bin GST_REGISTRY_FORK=no \
      boardcast --camera test --microphone none --listen 127.0.0.1:8765 >/tmp/log 2>&1 & program=$!
    for _ in $(seq 600); do
      sleep 0.2
      status=$(exec 3<>/dev/tcp/127.0.0.1/8765 && printf "GET /api/status HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" >&3 && cat <&3) 2>/dev/null
      [[ $status != *\"ready\":*true* ]] || break
    done
    kill $program; wait $program || echo "ended with $?"
    cat /tmp/log
    [[ $status == *\"ready\":*true* ]]'
}

inside() { # ARCH
  local start=$SECONDS
  register "$1"
  mount -t proc proc "$root/proc"
  # Of a container debootstrap expects what holds here: devices are there, but can't be made.
  in_root container=lxc /debootstrap/debootstrap --second-stage >"$root/second-stage.log" 2>&1 ||
    { tail "$root/second-stage.log"; die "the second stage of debootstrap for $1 did not succeed" "see above"; }
  printf '        a fresh root: %d s\n' $((SECONDS - start))
  mkdir -p "$root/var/cache/apt/archives/partial"
  mount --bind "$cache/archives-$base-$1" "$root/var/cache/apt/archives"
  quiet_apt update || quiet_apt update || { tail "$root/apt.log"; die "apt-get update did not succeed" "see above"; }
  start=$SECONDS
  check 'apt-get finds what it depends on' quiet_apt install --no-install-recommends --download-only /boardcast.deb
  check 'apt-get install' quiet_apt install --no-install-recommends /boardcast.deb
  printf '        with %d packages it depends on: %d s, %s\n' \
    "$(grep -c '^Setting up' "$root/apt.log")" $((SECONDS - start)) "$(in_root du -xsh --exclude=var/cache / | cut -f 1) in all"
  check 'every library is there' bash -c "! chroot '$root' ldd /usr/bin/boardcast | grep 'not found'"
  check 'boardcast version' in_root boardcast version
  in_root boardcast version | sed 's/^/        /'
  check 'boardcast devices' in_root boardcast devices
  start=$SECONDS
  check 'boardcast encoders: vp8enc works' bash -c "chroot '$root' env GST_REGISTRY_FORK=no HOME=/tmp boardcast encoders --json | tee '$root/encoders.json' | grep -q vp8enc"
  in_root env GST_REGISTRY_FORK=no HOME=/tmp boardcast encoders | sed 's/^/        /'
  printf '        encoders, twice: %d s\n' $((SECONDS - start))
  check 'the settings are a conffile, and are read' bash -c "chroot '$root' dpkg-query -W -f '\${Conffiles}' boardcast | grep -q boardcast.yaml && chroot '$root' boardcast config --json | grep -q '\"file\": \"/etc/boardcast/boardcast.yaml\"'"
  check 'the user is in the groups that there are' bash -c "chroot '$root' id -nG boardcast | grep -qw video && chroot '$root' id -nG boardcast | grep -qw audio"
  check 'the manual and the completions' in_root ls /usr/share/man/man1/boardcast.1.gz /usr/share/bash-completion/completions/boardcast
  check 'it serves, as the service would' serves
  check 'purging leaves nothing' bash -c "chroot '$root' apt-get -q=2 -y purge boardcast >'$root/apt.log' 2>&1 && ! ls -d '$root'/etc/boardcast '$root'/var/lib/boardcast '$root'/usr/bin/boardcast 2>/dev/null"
  [[ $failures == 0 ]]
}

main() {
  base=${1:-12} cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-roots
  shift || true
  [[ $(id -u) == 0 ]] || die 'the roots want root' "sudo $0"
  for tool in debootstrap lintian systemd-analyze qemu-aarch64-static; do
    command -v "$tool" >/dev/null || die "$tool is missing" 'apt-get install debootstrap lintian systemd qemu-user-static'
  done
  work=$(mktemp -d)
  trap 'rm -rf --one-file-system "$work"' EXIT
  check_files
  check_unit
  for arch in "${@:-amd64}"; do
    printf '== %s on Debian %s\n' "$arch" "$base"
    root=$work/root-$arch
    first_stage "$arch"
    enter "$arch" || failures=$((failures + 1))
    rm -rf --one-file-system "$root"
  done
  printf '%d failed\n' "$failures"
  [[ $failures == 0 ]]
}

if [[ ${1:-} == --inside ]]; then
  base=$2 root=$4 cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-roots
  inside "$3"
else
  main "$@"
fi
