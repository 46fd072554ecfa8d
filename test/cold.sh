#!/usr/bin/env bash
# Says, before a build that will take minutes, that it will. It asks Go's own cache, but only where nothing was built
# yet: a build over an old one is never that long.
set -euo pipefail

binding=github.com/go-gst/go-gst/gst
[[ ! -x bin/boardcast ]] || exit 0
[[ $(go list -f '{{.Stale}}' "$binding" 2>/dev/null) != false ]] || exit 0
echo '==> the first build compiles the GStreamer binding: two to four minutes on a PC, later builds take seconds'
