#!/usr/bin/env bash
# bootstrap.sh run|test|packages [ARCH...]|roots installs, by apt, what this machine lacks: to build and run boardcast; also
# to test it; to cross-build and package it for the named architectures; to try the packages in fresh Debian roots.
#
# It asks nothing, and where nothing is missing it does nothing: each check is the presence of a file or a command, so
# that what came by other means than apt counts too. On a distribution without apt it names the packages and stops.
set -euo pipefail

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

# ---- checks: each says by its exit status whether the thing is there

has_command() { command -v "$1" >/dev/null; }
has_file() { compgen -G "$1" >/dev/null; }
has_module() { has_command pkg-config && pkg-config --exists "$@"; }

# has_plugin NAME looks where GStreamer itself looks, in this machine's architecture only: a Raspberry Pi may hold the
# libraries of two.
has_plugin() {
  local dir
  for dir in "${plugin_dirs[@]}"; do
    has_file "$dir/libgst$1.so" && return
  done
  return 1
}

set_plugin_dirs() {
  local triple
  triple=$("${CC:-gcc}" -dumpmachine 2>/dev/null || true)
  [[ -n $triple && -d /usr/lib/$triple ]] || triple='*'
  IFS=: read -ra plugin_dirs <<<"${GST_PLUGIN_PATH_1_0:-${GST_PLUGIN_PATH:-}}"
  plugin_dirs+=({/usr,/usr/local}/lib{"/$triple",,64}/gstreamer-1.0)
}

# A snap's command is a link to snap or, on Ubuntu, a small shell script that starts one. It can't be used: its
# confinement refuses the tests' network namespaces and their profiles under /tmp.
is_snap() {
  local path
  path=$(readlink -f "$(command -v "$1")")
  [[ $path == */snap || $path == /snap/* ]] && return
  [[ $(head -c 2 "$path") == '#!' ]] && grep -q /snap/ "$path"
}

has_browser() { # VALUE-OF-THE-VARIABLE COMMAND...
  local name
  for name in "$@"; do
    [[ -n $name ]] && has_command "$name" && ! is_snap "$name" && return
  done
  return 1
}

# ---- what is needed; `need PACKAGE CHECK...` notes the package when the check fails

missing=()
need() { local package=$1; shift; "$@" || missing+=("$package"); }

need_to_run() {
  need gcc                                has_command "${CC:-gcc}"
  need git                                has_command git
  need pkg-config                         has_command pkg-config
  need libgstreamer1.0-dev                has_module gstreamer-1.0
  # Not libgstreamer-plugins-bad1.0-dev: it brings OpenCV, and the little of libgstwebrtc in use is declared by hand.
  need libgstreamer-plugins-base1.0-dev   has_module gstreamer-app-1.0 gstreamer-sdp-1.0
  set_plugin_dirs
  need gstreamer1.0-plugins-base          has_plugin opus
  need gstreamer1.0-plugins-good          has_plugin vpx
  need gstreamer1.0-plugins-bad           has_plugin webrtc
  need gstreamer1.0-plugins-ugly          has_plugin x264
  need gstreamer1.0-nice                  has_plugin nice
  need gstreamer1.0-alsa                  has_plugin alsa
  need gstreamer1.0-x                     has_plugin pango
  need fonts-dejavu-core                  has_file '/usr/share/fonts/truetype/*/*.ttf'
}

need_to_test() {
  need chromium            has_browser "${BOARDCAST_CHROMIUM:-}" chromium chromium-browser google-chrome
  need firefox-esr         has_browser "${BOARDCAST_FIREFOX:-}" firefox-esr firefox
  need nodejs              has_command node
  need npm                 has_command npm
  need gstreamer1.0-tools  has_command gst-launch-1.0
  need iproute2            has_command ip
  need nftables            has_file '/usr/sbin/nft'
  need coturn              has_command turnserver
  need util-linux          has_command unshare
  need xvfb                has_command Xvfb
  need zbar-tools          has_command zbarimg
}

# compilers has, for each architecture, the name that begins its cross compiler's command and ends its package's name. The
# machine's own compiler has a command of this form too, but its package is gcc.
declare -A compilers=([amd64]=x86-64-linux-gnu [arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf)

need_to_package() { # [ARCH...]; all without
  local arch own package
  own=$(dpkg --print-architecture 2>/dev/null || true)
  need git         has_command git
  need pkg-config  has_command pkg-config
  [[ $# -gt 0 ]] || set -- amd64 arm64 armhf
  for arch in "$@"; do
    [[ -n ${compilers[$arch]-} ]] || die "bootstrap: no architecture '$arch'" "use: $0 packages [amd64|arm64|armhf]..."
    package=gcc-${compilers[$arch]}
    [[ $arch != "$own" ]] || package=gcc
    need "$package" has_command "${compilers[$arch]/x86-64/x86_64}-gcc"
  done
}

# need_for_roots is what test/packages.sh and test/service.sh use.
need_for_roots() {
  need debootstrap       has_command debootstrap
  need lintian           has_command lintian
  need systemd           has_command systemd-analyze
  need e2fsprogs         has_command mke2fs
  need qemu-user-static  has_command qemu-aarch64-static
  need qemu-system-x86   has_command qemu-system-x86_64
  need qemu-system-arm   has_command qemu-system-aarch64
  need chromium          has_command chromium
  need nodejs            has_command node
  need npm               has_command npm
  need iproute2          has_command ip
  need util-linux        has_command unshare
}

# ---- installing

# drop_package NAME takes one package off the list of the missing.
drop_package() {
  local package kept=()
  for package in "${missing[@]}"; do
    [[ $package == "$1" ]] || kept+=("$package")
  done
  missing=("${kept[@]+"${kept[@]}"}")
}

# Ubuntu's browser packages only install the snaps, so apt has nothing to offer; the rest of the tests run without.
drop_snap_browsers() {
  local package dropped=()
  [[ $ID == ubuntu ]] || return 0
  for package in chromium firefox-esr; do
    [[ " ${missing[*]-} " == *" $package "* ]] || continue
    dropped+=("$package")
    drop_package "$package"
  done
  [[ ${#dropped[@]} -gt 0 ]] || return 0
  cat >&2 <<TEXT
boardcast: warning: no ${dropped[*]} that the tests could drive, so the browser tests will fail.
Ubuntu's own are snaps, whose confinement refuses the network namespaces and profiles the tests use. Install them as
.deb packages (Google Chrome from Google, Firefox from Mozilla's apt repository) or as plain archives, and where their
commands have other names, set BOARDCAST_CHROMIUM and BOARDCAST_FIREFOX to the paths.
TEXT
}

# as_root runs a command as root. sudo may ask for a password, but only where a person can answer.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@" </dev/null
  elif [[ -t 0 && -z ${CI:-} ]]; then
    sudo "$@"
  else
    sudo -n "$@" </dev/null
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Raspberry Pi OS has called Debian's chromium chromium-browser.
rename_chromium() {
  [[ " ${missing[*]} " == *" chromium "* ]] || return 0
  apt-cache show chromium >/dev/null 2>&1 && return
  drop_package chromium
  missing+=(chromium-browser)
}

install_missing() {
  printf '==> missing here, installing by apt: %s\n' "${missing[*]}"
  as_root true ||
    die "cannot install packages without root" "as root, run: apt-get install --no-install-recommends ${missing[*]}"
  apt_get update || printf 'boardcast: warning: apt-get update was not clean, going on with the lists there are\n' >&2
  rename_chromium
  apt_get install --no-install-recommends "${missing[@]}" ||
    die "install ${missing[*]}: apt-get did not succeed" \
      "see its message above; on Ubuntu the universe component must be enabled (add-apt-repository universe)"
}

# install_or_stop installs where there is apt, and elsewhere names what to install.
install_or_stop() {
  local ID=unknown ID_LIKE='' PRETTY_NAME='this system' release=${OS_RELEASE:-/etc/os-release}
  # shellcheck source=/dev/null
  [[ -r $release ]] && . "$release"
  if [[ " $ID $ID_LIKE " != *\ debian\ * && " $ID $ID_LIKE " != *\ ubuntu\ * ]] || ! has_command apt-get; then
    die "$PRETTY_NAME is not a Debian, Ubuntu or Raspberry Pi OS: nothing was installed" \
      "install what Debian calls: ${missing[*]}"
  fi
  drop_snap_browsers
  [[ ${#missing[@]} -eq 0 ]] || install_missing
}

# The programs that drive the browsers want a Node no older than Debian 12's, and apt has no newer one to offer.
check_node() {
  local version
  version=$(node --version)
  version=${version#v}
  [[ ${version%%.*} -ge 18 ]] || die "Node.js $version is too old for the tests" "put a node of version 18 or newer on the PATH"
}

# A Go older than 1.21 can't read go.mod, and says so in words that name no remedy. A newer one that is too old says what it wants.
check_go() {
  local version minor
  has_command go || die "no go command on the PATH" "install Go (go.mod names the version) and add its bin directory to the PATH"
  read -r _ _ version _ < <(GOTOOLCHAIN=local go version) || true # not `go env`, which may read go.mod
  minor=${version#go1.}
  minor=${minor%%[!0-9]*}
  [[ -z $minor || $minor -ge 21 ]] ||
    die "Go ${version#go} is too old" "install the version that go.mod names from https://go.dev/dl, and put its bin directory first on the PATH"
}

main() {
  case ${1:-} in
    run) need_to_run ;;
    test) need_to_run; need_to_test ;;
    packages) need_to_package "${@:2}" ;;
    roots) need_for_roots ;;
    *) die "bootstrap: unknown set '${1:-}'" "use: $0 run|test|packages [ARCH...]|roots" ;;
  esac
  check_go
  [[ ${#missing[@]} -eq 0 ]] || install_or_stop
  [[ $1 != test ]] || check_node
}

main "$@"
