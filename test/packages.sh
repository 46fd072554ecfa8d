#!/usr/bin/env bash
# packages.sh BASE [ARCH...] installs what `make packages` has left in dist into fresh Debian roots and tries it there:
# amd64 natively, arm64 and armhf by qemu-user. It is `make test-packages`. It wants root, and installs what it lacks.
#
# In each root the program is asked for its version, its devices, its encoders and what doctor finds. Then it streams to a Chromium of
# this machine, over a network that only the two have. What was fetched once is kept, see root.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/../internal/packaging/apt.sh
. internal/packaging/apt.sh
# shellcheck source=SCRIPTDIR/root.sh
. test/root.sh

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
  check 'systemd-analyze security: at most 1.8' systemd-analyze security --offline=true --threshold=18 --no-pager "$unit"
  systemd-analyze security --offline=true --no-pager "$unit" | tail -n 1 | sed 's/^/        /'
}

# ---- in a root

# as_service runs a command as the service's unit would.
as_service() {
  in_root setpriv --reuid boardcast --regid boardcast --init-groups env HOME=/tmp CACHE_DIRECTORY=/var/cache/boardcast \
    GST_REGISTRY=/var/cache/boardcast/registry.bin GST_REGISTRY_FORK=no "$@"
}

inside_install() { # ARCH
  local start=$SECONDS
  second_stage "$1"
  printf '        a fresh root: %d s\n' $((SECONDS - start))
  start=$SECONDS
  check 'apt-get finds what it depends on' quiet_apt install --no-install-recommends --download-only /boardcast.deb
  check 'apt-get install' quiet_apt install --no-install-recommends /boardcast.deb
  printf '        with %d packages it depends on: %d s, %s\n' \
    "$(grep -c '^Setting up' "$root/apt.log")" $((SECONDS - start)) "$(in_root du -xsh --exclude=var/cache / | cut -f 1) in all"
  check 'every library is there' bash -c "! chroot '$root' ldd /usr/bin/boardcast | grep 'not found'"
  check 'the settings are a conffile, and are read' bash -c "chroot '$root' dpkg-query -W -f '\${Conffiles}' boardcast | grep -q boardcast.yaml && chroot '$root' boardcast config --json | grep -q '\"file\": \"/etc/boardcast/boardcast.yaml\"'"
  check 'the user is in the groups that there are' bash -c "chroot '$root' id -nG boardcast | grep -qw video && chroot '$root' id -nG boardcast | grep -qw audio"
  check 'the manual and the completions' in_root ls /usr/share/man/man1/boardcast.1.gz /usr/share/bash-completion/completions/boardcast
  in_root install -d -o boardcast -g boardcast /var/cache/boardcast
}

works() { as_service boardcast encoders | grep "^$1 .* works: "; } # ELEMENT

inside_ask() {
  local start=$SECONDS
  check 'boardcast version' in_root boardcast version
  in_root boardcast version | sed 's/^/        /'
  in_root boardcast version --json >"$root/facts/version.json"
  check 'boardcast devices' as_service boardcast devices
  as_service boardcast encoders --json >"$root/facts/encoders.json"
  printf '        every encoder tried: %d s\n' $((SECONDS - start))
  check 'boardcast encoders: vp8enc works' works vp8enc
  works '[^ ]*' | sed 's/^/        /'
  check 'boardcast doctor: a stream would work' as_service boardcast doctor --camera test --microphone test
  as_service boardcast doctor --camera test --microphone test | tail -n 1 | sed 's/^/        /'
}

# inside_keys has root make the keys before the service has started: they are the service's, and nobody else's.
inside_keys() {
  local file=/var/lib/boardcast/keys.json
  in_root install -d -o boardcast -g boardcast -m 755 /var/lib/boardcast
  check 'boardcast key: the links of the service' bash -c "chroot '$root' boardcast key | grep -q '?key='"
  check 'the keys are for the service alone' bash -c "[[ \$(chroot '$root' stat -c '%U %a' $file) == 'boardcast 600' && \$(chroot '$root' stat -c %a ${file%/*}) == 700 ]]"
  check 'and it reads them' as_service env STATE_DIRECTORY=/var/lib/boardcast boardcast key list
  check 'nobody else does' bash -c "! chroot '$root' setpriv --reuid nobody --regid nogroup --clear-groups boardcast key"
}

# program prints the process that streams in the root, by its number in a /proc; emulated, it is the emulator.
program() { # PROC
  local process
  for process in "$1"/[0-9]*; do
    [[ $(readlink "$process/root") == "$root" && $(tr '\0' ' ' <"$process/cmdline") == *'boardcast --camera'* ]] || continue
    echo "${process##*/}"
    return
  done 2>/dev/null
}

# inside_serve streams as the service would, but to everybody, until somebody writes to the root's file stop.
inside_serve() {
  local begin=${EPOCHREALTIME/./}
  as_service env BOARDCAST_OPEN=true boardcast --camera test --microphone test --codec vp8 --width 320 --height 240 --framerate 15 --bitrate 500k \
    >"$root/log" 2>&1 &
  until in_root bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET /api/status HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" >&3 && grep -q "\"ready\":true" <&3' 2>/dev/null; do
    kill -0 $! || { cat "$root/log"; die 'it ended' 'see above'; }
    sleep 0.1
  done
  printf '        ready %d ms after its start, a program of %s\n' $(((${EPOCHREALTIME/./} - begin) / 1000)) "$(in_root du -h /usr/bin/boardcast | cut -f 1)"
  touch "$root/serving"
  read -r <"$root/stop"
  kill -TERM "$(program "$root/proc")"
  wait $!
}

inside_purge() {
  check 'purging leaves nothing' bash -c "chroot '$root' apt-get -q=2 -y purge boardcast >'$root/apt.log' 2>&1 && ! ls -d '$root'/etc/boardcast '$root'/var/lib/boardcast '$root'/usr/bin/boardcast 2>/dev/null"
}

# ---- the picture

# networks makes two, of a board and of viewers, with a cable between them.
networks() {
  local own
  own=$(readlink /proc/self/ns/net)
  unshare --net sleep infinity &
  board=$!
  unshare --net sleep infinity &
  viewers=$!
  until [[ $(readlink "/proc/$board/ns/net") != "$own" && $(readlink "/proc/$viewers/ns/net") != "$own" ]]; do sleep 0.1; done
  nsenter --target "$board" --net bash -ec "ip link set lo up; ip link add board type veth peer name viewer netns $viewers
    ip addr add 10.78.0.1/24 dev board; ip link set board up"
  nsenter --target "$viewers" --net bash -ec 'ip link set lo up; ip addr add 10.78.0.2/24 dev viewer; ip link set viewer up
    ip route add default via 10.78.0.1'
}

picture() { # ARCH
  local serving process ended=true
  mkfifo "$root/stop"
  networks
  enter serve "$1" "$board" &
  serving=$!
  until [[ -e $root/serving ]]; do
    kill -0 "$serving" 2>/dev/null || die 'it does not serve' 'see above'
    sleep 0.2
  done
  process=$(program /proc)
  check 'Chromium plays it' nsenter --target "$viewers" --net env BOARDCAST_AT=http://10.78.0.1:8080 BOARDCAST_AT_FACTS="$root/facts" \
    BOARDCAST_AT_COST="cat /proc/$process/stat /proc/$process/status" \
    bash -c "cd test/e2e && '$work/e2e.test' -test.v -test.timeout 5m >'$work/picture.log' 2>&1 || { cat '$work/picture.log'; false; }"
  sed -n 's/.* row: /        /p' "$work/picture.log"
  echo >"$root/stop"
  wait "$serving" || ended=false
  check 'and it ends when told to' "$ended"
  kill "$board" "$viewers"
  wait "$board" "$viewers" 2>/dev/null || true
}

main() {
  base=${1:-12}
  shift || true
  [[ $# -gt 0 ]] || set -- amd64
  roots_want "$@"
  work=$(mktemp -d)
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
  [[ -d test/e2e/browser/node_modules ]] || (cd test/e2e/browser && npm ci --no-audit --no-fund)
  go test -tags e2e -c -o "$work/e2e.test" ./test/e2e
  check_files
  check_unit
  for arch in "$@"; do
    printf '== %s on Debian %s\n' "$arch" "$base"
    root=$work/root-$arch
    first_stage "$arch"
    mkdir "$root/facts"
    if enter install "$arch" && enter ask "$arch" && enter keys "$arch"; then
      picture "$arch"
      enter purge "$arch" || failures=$((failures + 1))
    else
      failures=$((failures + 1))
    fi
    rm -rf --one-file-system "$root"
  done
  printf '%d failed\n' "$failures"
  [[ $failures == 0 ]]
}

if [[ ${1:-} == --inside ]]; then
  base=$3 root=$5
  register "$4"
  "inside_$2" "$4"
  [[ $failures == 0 ]]
else
  main "$@"
fi
