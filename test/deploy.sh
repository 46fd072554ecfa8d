#!/usr/bin/env bash
# deploy.sh BOARD is `make deploy`: from this machine's sources to a running service on a board. See --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/ssh.sh
. test/ssh.sh

usage() {
  cat <<'USAGE'
usage: make deploy BOARD=USER@HOST [SSH=OPTIONS] [DEB=FILE]
   or: test/deploy.sh USER@HOST
Asks the board for its architecture and its libraries, builds the package that fits, copies it over, installs it
together with what it needs, starts the service anew and prints the address to open. Settings on the board stay.

  BOARD   who to log in as, and where: pi@raspberrypi.local. Root, or a user who may use sudo.
  SSH     options for ssh and scp: SSH='-o Port=2222 -i FILE'
  DEB     install this package in place of building one

It wants an x86-64 Debian with what `make packages` wants (docs/INSTALL.md), but for DEB, which goes from anywhere.
USAGE
}

# ask is what the board is asked: lines of name=value. An empty value means that there is no such thing.
# shellcheck disable=SC2016 # expanded there
ask='
say() { printf "%s=%s\n" "$1" "$2"; }
release() { cat /etc/os-release 2>/dev/null | sed -n "s/^$1=//p" | tr -d "\"" | head -n 1; }
may() {
  if [ "$(id -u)" = 0 ]; then echo root
  elif ! command -v sudo >/dev/null; then echo nothing
  elif sudo -n true 2>/dev/null; then echo sudo
  else echo password; fi
}
arch=$(dpkg --print-architecture 2>/dev/null)
say machine "$(uname -m)"
say model "$(cat /proc/device-tree/model 2>/dev/null | tr -d "\000")"
say system "$(release PRETTY_NAME)"
say arch "$arch"
say libc "$(dpkg-query -W -f "\${Version}" "libc6:$arch" 2>/dev/null)"
say l4t "$(cat /etc/nv_tegra_release 2>/dev/null | head -n 1 | cut -c 1-40)"
say init "$(cat /proc/1/comm 2>/dev/null)"
say may "$(may)"
'

# install is run there as root. The exit code says which step it was.
# shellcheck disable=SC2016 # expanded there
install='
folder=$1 init=$2
trap "rm -rf \"\$folder\"" EXIT
export DEBIAN_FRONTEND=noninteractive
add() { apt-get -q -y --reinstall --allow-downgrades -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 install "$folder/boardcast.deb"; }
add || { apt-get -q update && add; } || exit 71
[ "$init" = systemd ] || exit 0
systemctl restart boardcast || { systemctl status --no-pager --lines=15 boardcast; exit 72; }
run=$(systemctl show -p InvocationID --value boardcast)
for try in 1 2 3 4 5 6 7 8 9 10; do
  journalctl -q -o cat "_SYSTEMD_INVOCATION_ID=$run" | grep -E "^boardcast .* in a browser|^  or http" && {
    boardcast key --json 2>/dev/null | sed -n "s/^ *\"key\": \"\([0-9a-z]*\)\".*/key \1/p" | head -n 1
    exit 0
  }
  sleep 1
done
exit 73
'

# For each Debian that packages are made for, the libc that its package wants: what decides on a board is not the name
# of its system. The newest comes first.
bases=('13 2.41' '12 2.36')

declare -A fact

# newer A B says whether version A is at least B.
newer() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

look() {
  local name value said
  said=$(on_board "$ask" 2>"$work/said") || ssh_failed "log in to $board"
  while IFS='=' read -r name value; do
    [[ -z $name ]] || fact[$name]=$value
  done <<<"$said"
  printf '==> %s: %s, %s, %s\n' "$board" "${fact[model]:-no device tree}" "${fact[system]:-unknown system}" \
    "${fact[arch]:-${fact[machine]-}}"
}

# without_dpkg dies with what to do by hand.
without_dpkg() {
  local -A archs=([x86_64]=amd64 [aarch64]=arm64 [armv7l]=armhf)
  local name=${archs[${fact[machine]-}]-}
  [[ -n $name ]] || die "install on $board: it has no dpkg, and there is no build for ${fact[machine]:-its processor}" "build it there: docs/INSTALL.md"
  die "install on $board: it has no dpkg (${fact[system]:-unknown system}), so no package can be installed" \
    "make packages ARCHS=$name, copy dist/boardcast-*-linux-$name-debian12.tar.gz there and unpack it, as root:" \
    "  tar -xzf boardcast-*.tar.gz --strip-components=1 -C / && systemd-sysusers && systemctl daemon-reload && systemctl enable --now boardcast" \
    'its libraries must be as new as Debian 12'"'"'s; if not, build it there: docs/INSTALL.md, "Boards without Debian"'
}

# choose sets arch and base.
choose() {
  local row libc=${fact[libc]%%-*} guide=
  arch=${fact[arch]-} base=''
  [[ -n $arch ]] || without_dpkg
  case $arch in
    amd64 | arm64 | armhf) ;;
    *) die "choose a package for $board: there is none for $arch" "packages are for amd64, arm64 and armhf" ;;
  esac
  [[ ${fact[machine]-} != armv6* ]] ||
    die "choose a package for $board: its processor is an ${fact[machine]}, and armhf packages here are for ARMv7" \
      "Raspberry Pi 1 and Zero (without a 2) can't run it from a package: docs/boards/raspberry-pi.md"
  for row in "${bases[@]}"; do
    if newer "$libc" "${row#* }"; then base=${row% *}; break; fi
  done
  [[ -z ${fact[l4t]-} ]] || guide='; for a Jetson: docs/boards/jetson.md'
  [[ -n $base ]] ||
    die "choose a package for $board: ${fact[system]} has libc ${libc:-of unknown version}, the oldest package wants 2.36 (and GStreamer 1.22)" \
      "take a newer system (Debian 12, Raspberry Pi OS bookworm, Ubuntu 24.04), or build it there: docs/INSTALL.md$guide"
}

# allowed dies where installing would fail for want of rights, before anything is built.
allowed() {
  case ${fact[may]-} in
    root) root='' terminal=() ;;
    sudo) root='sudo ' terminal=() ;;
    password)
      [[ -t 0 ]] || die "become root on $board: sudo wants a password, and there is no terminal to ask on" \
        "run it in a terminal, take root@, or let the user go without: /etc/sudoers.d"
      root='sudo ' terminal=(-t) ;;
    *) die "become root on $board: its user is not root and there is no sudo" "take root@, or install sudo there" ;;
  esac
}

# package sets deb, building it unless one was given.
package() {
  if [[ -n ${DEB:-} ]]; then
    [[ -r $DEB ]] || die "read the package DEB=$DEB: no such file" "paths count from the top of the repository"
    deb=$DEB
    return
  fi
  make --no-print-directory packages "ARCHS=$arch" "BASE=$base" </dev/null ||
    die "build the package for $arch on Debian $base: make did not succeed" "see above; or take one that is built: DEB=FILE"
  deb=$(ls -t dist/boardcast_*"~deb${base}_$arch.deb" 2>/dev/null | head -n 1 || true)
  [[ -n $deb ]] || die "build the package for $arch on Debian $base: make left none in dist" "make packages ARCHS=$arch BASE=$base"
}

deliver() {
  local folder code=0
  folder=$(on_board 'folder=$(mktemp -d /tmp/boardcast-XXXXXX) && chmod 755 "$folder" && echo "$folder"' 2>"$work/said") ||
    ssh_failed "make a folder on $board"
  printf '==> copying %s\n' "$deb"
  scp -q "${options[@]}" "$deb" "$board:$folder/boardcast.deb" 2>"$work/said" || ssh_failed "copy $deb to $board"
  printf '==> installing\n'
  on_board "${terminal[@]}" "${root}sh -c $(quoted "$install") install $(quoted "$folder") $(quoted "${fact[init]-}")" |
    tee "$work/installed" || code=${PIPESTATUS[0]}
  case $code in
    0) ;;
    71) die "install $deb on $board: apt-get did not succeed" "see above; what it can't find belongs to another release, or the board has no internet" ;;
    72) die "start the service on $board: systemctl did not succeed" "the whole log: ssh $board journalctl -u boardcast -e; what is wrong there: ssh $board boardcast doctor" ;;
    73) die "read the address from the service's log on $board: no such line within 10 s" "ssh $board systemctl status boardcast" ;;
    *) die "install $deb on $board: the connection or sudo ended with $code" "see above; run it again" ;;
  esac
}

# reached says whether this machine gets a connection to an address of the form http://HOST:PORT/.
reached() {
  local host port
  [[ $1 =~ ^https?://\[?([^]/]+)\]?:([0-9]+)/ ]] || return
  host=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]}
  # shellcheck disable=SC2016 # expanded inside
  timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' reach "$host" "$port" 2>/dev/null
}

# tell prints the viewers' link at the address that answers here, else at the likeliest.
tell() {
  local all url key
  [[ ${fact[init]-} == systemd ]] || { printf 'installed; no systemd runs there, so start it by hand: boardcast\n'; return; }
  mapfile -t all < <(sed -nE 's,^(boardcast .*: open|  or) (https?://[^ ]*).*,\2,p' "$work/installed" | tr -d '\r')
  key=$(sed -n 's/^key \([0-9a-z]*\).*/?key=\1/p' "$work/installed")
  for url in "${all[@]}"; do
    if reached "$url"; then printf 'open %s in a browser\n' "$url$key"; return; fi
  done
  printf 'boardcast: warning: %s runs it, but from here no connection comes about\n' "$board" >&2
  printf 'boardcast: hint: a firewall, another network, or "listen" in its /etc/boardcast/boardcast.yaml names an address of the board alone\n' >&2
  printf 'open %s in a browser\n' "${all[0]}$key"
}

main() {
  case ${1:-} in -h | --help) usage; exit ;; esac
  [[ $# == 1 && -n $1 ]] || { usage >&2; die 'no board was named' 'make deploy BOARD=pi@raspberrypi.local'; }
  connect "$1"
  look
  choose
  allowed
  package
  deliver
  tell
}

main "$@"
