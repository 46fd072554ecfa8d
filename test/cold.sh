#!/usr/bin/env bash
# cold.sh warns before a build that will take minutes. It asks Go's build cache whether the GStreamer binding is compiled,
# but only where there is no bin/boardcast yet: a later build never takes that long.
set -euo pipefail

binding=github.com/go-gst/go-gst/gst
[[ ! -x bin/boardcast ]] || exit 0
[[ $(go list -f '{{.Stale}}' "$binding" 2>/dev/null) != false ]] || exit 0
echo '==> the first build compiles the GStreamer binding: two to four minutes on a PC, later builds take seconds'
