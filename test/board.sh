#!/usr/bin/env bash
# board.sh BOARD is `make test-board`: a browser on this machine against a board that `make deploy` has been run for. See
# --help. Nobody has run it against a board yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=SCRIPTDIR/ssh.sh
. test/ssh.sh

usage() {
  cat <<'USAGE'
usage: make test-board BOARD=USER@HOST [SSH=OPTIONS]
   or: make test-board BOARD='http://HOST:PORT/?key=KEY' (an owner's link)
Asks the board what it is (boardcast version, encoders and doctor, left in bin/board/HOST), plays its page in Chromium
on this machine, and prints a row for docs/BOARDS.md. Of an address alone, only the page is looked at.

It wants Go, node, npm and Chromium here (test/bootstrap.sh test installs them), and boardcast running there.
USAGE
}

need() { # COMMAND...
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "$tool is missing here" 'test/bootstrap.sh test installs what tests need'
  done
}

drivers() {
  [[ -d test/e2e/browser/node_modules ]] || (cd test/e2e/browser && npm ci --no-audit --no-fund) ||
    die 'install what drives the browsers: npm did not succeed' 'see above'
}

# collect leaves what the board says of itself in $facts. It goes on also where doctor finds something wrong.
collect() {
  local what said code
  mkdir -p "$facts"
  for what in 'version --json' 'encoders --json' 'doctor --json' config; do
    printf '==> %s: boardcast %s\n' "$board" "$what"
    code=0
    said=$(on_board "boardcast $what" 2>"$work/said" </dev/null) || code=$?
    [[ $code != 255 ]] || ssh_failed "log in to $board"
    [[ $code != 127 ]] || die "run boardcast on $board: it is not installed there" "make deploy BOARD=$board"
    [[ -n $said ]] || die "run boardcast $what on $board: $(tail -n 1 "$work/said")" "by hand: ssh $board boardcast $what"
    case $what in
      *--json) printf '%s\n' "$said" >"$facts/${what% *}.json" ;;
      *) printf '%s\n' "$said" >"$facts/$what" ;;
    esac
  done
}

# address prints where the page is: the host that ssh goes to, the port of the settings in force.
address() {
  local host listen cert resolved scheme=http
  host=$(ssh "${options[@]}" -G "$board" | sed -n 's/^hostname //p')
  resolved=$(getent ahostsv4 "$host" | awk '{ print $1; exit }') || resolved=
  host=${resolved:-$host} # a board does not answer to every name that others have for it
  read -r listen cert < <(awk '$1 == "listen" { at = $2 } $1 == "tls.cert" { cert = $2 } END { print at, cert }' "$facts/config")
  [[ $listen =~ ^(.*):([0-9]+)$ ]] ||
    die "find the address of $board in its settings: listen is '$listen'" 'give it: make test-board BOARD=http://HOST:PORT'
  [[ $cert == '""' ]] || scheme=https
  case ${BASH_REMATCH[1]} in '' | 0.0.0.0 | '[::]') ;; *) host=${BASH_REMATCH[1]} ;; esac
  [[ $host != *:* || $host == \[* ]] || host="[$host]"
  printf '%s://%s:%s\n' "$scheme" "$host" "${BASH_REMATCH[2]}"
}

# key prints the owner's key, nothing where it cannot be had.
key() {
  on_board 'sudo -n boardcast key --json 2>/dev/null || boardcast key --json 2>/dev/null' 2>"$work/said" </dev/null |
    sed -n 's/.*"key": "\([0-9a-z]*\)".*/\1/p' | tail -n 1 || true
}

# cost prints a command that shows stat and status of the service's process.
cost() {
  # shellcheck disable=SC2016 # expanded there
  printf '%q ' ssh "${options[@]}" "$board" 'pid=$(systemctl show -p MainPID --value boardcast) && cat /proc/$pid/stat /proc/$pid/status'
}

main() {
  case ${1:-} in -h | --help) usage; exit ;; esac
  [[ $# == 1 && -n $1 ]] || { usage >&2; die 'no board was named' 'make test-board BOARD=pi@raspberrypi.local'; }
  need go node npm
  export BOARDCAST_AT='' BOARDCAST_AT_KEY='' BOARDCAST_AT_FACTS='' BOARDCAST_AT_COST=''
  if [[ $1 =~ ^https?:// ]]; then
    [[ $1 != *'?key='* ]] || BOARDCAST_AT_KEY=${1#*'?key='}
    set -- "${1%%\?*}"
    BOARDCAST_AT=${1%/} facts=bin/board/$(tr -c 'A-Za-z0-9.\n' _ <<<"${1#*//}")
    mkdir -p "$facts"
  else
    connect "$1"
    facts=bin/board/${board#*@}
    collect
    BOARDCAST_AT=$(address) BOARDCAST_AT_KEY=$(key)
    BOARDCAST_AT_FACTS=$PWD/$facts BOARDCAST_AT_COST=$(cost)
  fi
  drivers
  printf '==> Chromium plays %s\n' "$BOARDCAST_AT"
  go test -tags e2e -count=1 -v -timeout 5m -run '^TestBoard$' ./test/e2e 2>&1 | tee "$facts/test.log" ||
    die "play $BOARDCAST_AT: the test did not succeed" "see above, and $facts; what is wrong on the board: boardcast doctor there"
  printf '\nfor docs/BOARDS.md, what was run:\n'
  sed -n 's/.* row: //p' "$facts/test.log"
}

main "$@"
