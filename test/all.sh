#!/usr/bin/env bash
# all.sh is `make test`: it runs every stage, also after one has failed, and ends with the line "N passed, N failed".
#
# The count is of top-level tests, Go's and the page's. A stage that fails without naming a test (a compile error, a
# panic, a time-out, an install that did not work) counts as one failure more. Skipped tests are in neither number; the
# line before names them. Each stage's full output is left in bin/test/STAGE.log.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

logs=bin/test
passed=0 failed=0 skipped=()
mkdir -p "$logs"
rm -f "$logs"/*.log

# brief lets through what a person wants to see while a stage runs: what failed, what took long. The rest is in its log.
brief() {
  grep --line-buffered -E \
    -e '^(--- FAIL|panic:|==> |go: downloading|Need to get|After this operation|boardcast: )' \
    -e '^--- PASS: .*\([1-9][0-9.]*s\)' -e '^(ok  |FAIL)[[:space:]]+[a-z]' |
    sed -u 's/^/    /'
}

# culprits prints a log without what passed: Go ends each package's output with a line that says how it went.
culprits() {
  awk '/^(=== | *--- PASS)/ { next }
    { text = text $0 "\n" }
    /^(ok  |\?   )\t/ { text = "" }
    /^FAIL\t/ { printf "%s", text; text = "" }
    END { printf "%s", text }' "$1"
}

# sum AWK-PATTERN LOG adds up the third word of the lines that match; lines PATTERN LOG counts them.
sum() { awk "$1"' { n += $3 } END { print n + 0 }' "$2"; }
lines() { grep -cE "$1" "$2"; }

# most prints the greatest of its arguments.
most() { printf '%s\n' "$@" | sort -n | tail -n 1; }

# stage NAME WHAT COMMAND... runs one stage and counts.
stage() {
  local name=$1 what=$2 begin=$SECONDS log=$logs/$1.log status
  shift 2
  printf '\n=== %s: %s\n' "$name" "$what"
  "$@" </dev/null 2>&1 | tee "$log" | brief
  status=${PIPESTATUS[0]}
  passed=$((passed + $(lines '^--- PASS: ' "$log") + $(sum '/^# pass /' "$log")))
  # A package that does not compile, or whose tests crash, has a line FAIL that names no test.
  failed=$((failed + $(most $((status != 0)) "$(sum "/^# (fail|cancelled) /" "$log")" \
    "$(lines '^--- FAIL: ' "$log")" "$(lines $'^FAIL\t' "$log")")))
  mapfile -t -O "${#skipped[@]}" skipped \
    < <(sed -nE -e 's/^ *--- SKIP: (\S+).*/\1/p' -e 's/^ *ok [0-9]+ - (.*) # SKIP.*/\1/p' "$log")
  if [[ $status != 0 ]]; then
    printf -- '--- what %s said:\n' "$name"
    culprits "$log"
  fi
  printf '=== %s: %s in %d s\n' "$name" "$([[ $status == 0 ]] && echo ok || echo FAILED)" $((SECONDS - begin))
  return "$status"
}

# finish prints the count and ends.
finish() {
  printf '\n'
  [[ ${#skipped[@]} -eq 0 ]] || printf 'skipped: %s\n' "${skipped[@]}" | sort -u
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [[ $failed == 0 ]]
  exit
}

# The race detector knows only some processors, and on 64-bit ARM only some kernels' address spaces (not Raspberry
# Pi's): RACE= leaves it out.
race=${RACE--race}
case $(go env GOARCH 2>/dev/null) in amd64 | arm64) ;; *) race= ;; esac

# shellcheck disable=SC2317 # called by stage
page_tests() {
  local files
  mapfile -t files < <(find internal/web test/page -name '*.test.js' -o -name '*.test.mjs' 2>/dev/null | sort)
  [[ ${#files[@]} -gt 0 ]] || { echo 'no test of the page found'; return 1; }
  node --test --test-reporter=tap "${files[@]}"
}

# shellcheck disable=SC2317 # called by stage
browsers() { (cd test/e2e/browser && npm ci --no-audit --no-fund); }

stage install 'what is missing here' test/bootstrap.sh test || finish
stage build 'bin/boardcast' make --no-print-directory build
# shellcheck disable=SC2086 # $race is a flag or nothing
stage unit "all but GStreamer${race:+, with the race detector}" go test $race -tags nogst -v ./...
# On many boards an int has 32 bits. An x86-64 kernel also runs programs for 386, so the same tests are run as such a program. They are
# built without cgo, because the C compiler of this system makes 64-bit programs only.
[[ $(go env GOARCH 2>/dev/null) != amd64 ]] ||
  GOARCH=386 CGO_ENABLED=0 stage unit32 'the same, with an int of 32 bits' go test -tags nogst -v ./...
stage gst 'the room with GStreamer, and the program' go test -tags e2e -count=1 -v ./pipeline/gst/... ./cmd/... ./test/namespace
stage page "the page's own tests" page_tests
stage proxies 'nginx and Caddy, unpacked' test/proxies.sh
stage npm 'what drives the browsers' browsers
# TestBoard wants a board: make test-board.
BOARDCAST_BIN=$PWD/bin/boardcast stage e2e 'Chromium and Firefox in network namespaces' \
  go test -tags e2e -count=1 -v -timeout 20m -skip '^TestBoard$' ./test/e2e
finish
