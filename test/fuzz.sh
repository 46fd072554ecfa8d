#!/usr/bin/env bash
# fuzz.sh TIME JOBS MUTATIONS runs every fuzz target for TIME, JOBS of them at once, and fails if one finds something. The
# finding lies then under the package's testdata/fuzz and is replayed by every later `go test`: commit it with the fix.
#
# Then it sends the built program MUTATIONS offers and answers of each kind that are nearly right (TestMutations). What the
# program dies of lies under bin/mutations, by its seed: BOARDCAST_MUTATIONS_SEED=SEED BOARDCAST_MUTATIONS=1 sends it again.
set -euo pipefail

each=$1 jobs=$2 mutations=$3

# one PACKAGE TARGET runs one target. Each line carries its name, for two are talking; of the progress, one line every
# three seconds, only the last is shown.
one() {
  printf '%s: begins\n' "$2"
  go test -tags nogst -run '^$' -fuzz "^$2\$" -fuzztime "$each" -parallel 1 "$1" 2>&1 |
    awk -v name="$2" '
      /^fuzz: elapsed/ { last = $0; next }
      last && /^(---|ok|FAIL|PASS)/ { print name ": " last; last = "" }
      { print name ": " $0; fflush() }'
}
export -f one
export each

targets=$(grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz\w+' . |
  sed -E 's|^(.*)/[^/]*:func (.*)$|\1 \2|' | sort)
[[ -n $targets ]] || { echo 'fuzz: error: no fuzz target found' >&2; exit 1; }
printf '==> %s fuzz targets, %s each, %s at once\n' "$(wc -l <<<"$targets")" "$each" "$jobs"
xargs -P "$jobs" -L 1 bash -c 'set -o pipefail; one "$@"' fuzz <<<"$targets"

[[ $mutations != 0 ]] || exit 0
printf '==> %s mutated descriptions of each kind\n' "$mutations"
BOARDCAST_MUTATIONS=$mutations BOARDCAST_BIN=$PWD/bin/boardcast \
  go test -tags e2e -count=1 -timeout 0 -v -run '^TestMutations$' ./test/e2e
