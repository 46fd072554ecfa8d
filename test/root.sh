# root.sh is sourced after internal/packaging/apt.sh: fresh Debian roots of any architecture, and ways into them. It wants
# root, debootstrap, and qemu-user-static for other architectures than this machine's. Of the caller it takes $base, $work
# and $root; what was fetched once is kept in ${XDG_CACHE_HOME:-~/.cache}/boardcast-roots.
#
# A root is worked in from a user namespace of its own, where the emulator is registered too (Linux 6.7): the machine's own
# binfmt_misc is left alone.
# shellcheck shell=bash disable=SC2154 # the caller's variables

cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-roots

# roots_want ARCH... stops where there is no package to try, and installs what is missing.
roots_want() {
  local arch
  [[ $(id -u) == 0 ]] || die 'fresh Debian roots can only be made by root' 'put sudo before the command'
  for arch in "$@"; do
    compgen -G "dist/*~deb${base}_$arch.deb" >/dev/null ||
      die "there is no package for $arch on Debian $base in dist" "make packages BASE=$base ARCHS=$arch"
  done
  test/bootstrap.sh roots
}

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

# enter PHASE ARCH [NETWORK] runs the calling script again, with --inside PHASE BASE ARCH ROOT, as root of namespaces of its
# own; NETWORK is a process whose network it gets. Users have the same numbers inside as outside, so that the
# files of a root have the right owners. enter writes that map itself, since unshare can only map one user.
enter() {
  local go=$work/go-$1-$2 own its pid way=()
  own=$(readlink /proc/self/ns/user)
  [[ -z ${3-} ]] || way=(nsenter --target "$3" --net --)
  mkfifo "$go"
  # shellcheck disable=SC2016 # expanded inside
  "${way[@]}" unshare --user --mount --pid --fork --kill-child \
    bash -c 'read -r <"$1"; shift; exec setpriv --reuid 0 --regid 0 --clear-groups "$@"' \
    enter "$go" "$0" --inside "$1" "$base" "$2" "$root" &
  pid=$!
  until its=$(readlink "/proc/$pid/ns/user") && [[ $its != "$own" ]]; do sleep 0.1; done
  echo '0 0 65536' >"/proc/$pid/uid_map"
  echo '0 0 65536' >"/proc/$pid/gid_map"
  echo >"$go"
  wait "$pid"
}

# ---- inside

# register lets ARCH run here, and mounts what every program wants.
register() { # ARCH
  local -A emulated=([arm64]=aarch64 [armhf]=arm)
  mount -t proc proc "$root/proc"
  [[ -n ${emulated[$1]-} ]] || return 0
  mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null ||
    die "$1 can't be emulated: this kernel has no binfmt_misc for a user namespace" "Linux 6.7 has"
  cat "/usr/lib/binfmt.d/qemu-${emulated[$1]}.conf" >/proc/sys/fs/binfmt_misc/register
}

in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }

quiet_apt() { in_root apt-get -q=2 -y -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io "$@" >"$root/apt.log" 2>&1; }

# without_security leaves Debian's security suite out, for a mirror that is in the middle of a synchronisation.
without_security() {
  printf '        without the security suite, which the mirror does not have whole\n'
  sed -i '/-security /d' "$root/etc/apt/sources.list"
  quiet_apt update
}

# second_stage ends with apt ready for use.
second_stage() { # ARCH
  # debootstrap is told that this is a container, since the same holds here: devices are there, but can't be made.
  in_root container=lxc /debootstrap/debootstrap --second-stage >"$root/second-stage.log" 2>&1 ||
    { tail "$root/second-stage.log"; die "the second stage of debootstrap for $1 did not succeed" "see above"; }
  mkdir -p "$root/var/cache/apt/archives/partial"
  mount --bind "$cache/archives-$base-$1" "$root/var/cache/apt/archives"
  quiet_apt update || quiet_apt update || without_security || { tail "$root/apt.log"; die "apt-get update did not succeed" "see above"; }
}
