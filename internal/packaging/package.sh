#!/usr/bin/env bash
# package.sh BASE ARCH... makes a .deb and a tarball of each bin/ARCH/debianBASE/boardcast under dist/, and SHA256SUMS of
# all that lies there.
#
# Every time stamp is the commit's, so that the same commit gives the same files. MAINTAINER is who answers for them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

base=${1:-} here=internal/packaging
case $base in
  12) libc=2.36 glib=2.74 gstreamer=1.22 ;;
  13) libc=2.41 glib=2.84 gstreamer=1.26 ;;
  *) die "package: no Debian '$base'" "use: $0 12|13 ARCH..." ;;
esac
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
export MAINTAINER=${MAINTAINER:-boardcast maintainers <maintainers@boardcast.invalid>}
umask 022

# upstream_version turns what git says (v1.2.3, v1.2.3-4-gabcdef0, abcdef0, each perhaps with -dirty) into a version that
# dpkg sorts by time.
upstream_version() {
  local said dirty=''
  said=$(git describe --tags --always --dirty)
  [[ $said != *-dirty ]] || { dirty=+dirty said=${said%-dirty}; }
  if [[ $said =~ ^v?([0-9][0-9A-Za-z.]*)(-([0-9]+)-(g[0-9a-f]+))?$ && ($said == v* || $said == *.*) ]]; then
    printf '%s%s%s' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]:+"+${BASH_REMATCH[3]}.${BASH_REMATCH[4]}"}" "$dirty"
  else
    printf '0~git%s.%s%s' "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M)" "$said" "$dirty"
  fi
}

# libraries names what the program is linked with. Debian 13 gave GLib another name; on 64 bits it is the same library,
# on 32 bits it is not, since its time_t grew.
libraries() { # ARCH
  local glib_package="libglib2.0-0 (>= $glib) | libglib2.0-0t64"
  if [[ $base == 13 ]]; then glib_package="libglib2.0-0t64 (>= $glib)"
  elif [[ $1 == armhf ]]; then glib_package="libglib2.0-0 (>= $glib)"; fi
  printf 'libc6 (>= %s), %s, libgstreamer1.0-0 (>= %s), libgstreamer-plugins-base1.0-0 (>= %s)' \
    "$libc" "$glib_package" "$gstreamer" "$gstreamer"
}

# pages makes what the commands themselves tell: manual pages and completions. The program that writes them is built
# without GStreamer, for this machine.
pages() { # FOLDER
  local tool=bin/manual shell
  go build -tags manual,nogst -o "$tool" ./cmd/boardcast
  mkdir -p "$1"/usr/share/{man/man1,bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
  "$tool" manual "$1/usr/share/man/man1"
  gzip -9n "$1"/usr/share/man/man1/*
  "$tool" completion bash >"$1/usr/share/bash-completion/completions/boardcast"
  "$tool" completion zsh >"$1/usr/share/zsh/vendor-completions/_boardcast"
  "$tool" completion fish >"$1/usr/share/fish/vendor_completions.d/boardcast.fish"
}

# third_party writes the licences of all that is linked into a binary.
third_party() { # BINARY
  local name version dir file
  printf 'Go itself: the BSD licence of the Go authors\n\n'
  cat "$(go env GOROOT)/LICENSE"
  go version -m "$1" | awk '$1 == "dep" { print $2, $3 }' | while read -r name version; do
    printf '\n==== %s %s\n' "$name" "$version"
    dir=$(go list -m -f '{{.Dir}}' "$name")
    for file in "$dir"/{LICENSE,LICENCE,COPYING,NOTICE}*; do
      [[ ! -f $file ]] || { printf '\n'; cat "$file"; }
    done
  done
}

docs() { # FOLDER BINARY
  local doc=$1/usr/share/doc/boardcast
  mkdir -p "$doc"
  cp "$here/deb/copyright" docs/PROTOCOL.md "$doc"
  cp docs/INSTALL.md "$doc/README.Debian" # what the service does, and how to change it
  third_party "$2" | gzip -9n >"$doc/third-party.gz"
  gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
  gzip -9n >"$doc/changelog.Debian.gz" <<TEXT
boardcast ($DEB_VERSION) stable; urgency=medium

  * changelog.gz says what is new. Built from commit
    $(git rev-parse HEAD).

 -- $MAINTAINER  $(date -uR -d "@$SOURCE_DATE_EPOCH")
TEXT
}

stage() { # FOLDER BINARY
  local units=$1/usr/lib/systemd/system
  mkdir -p "$1"/{usr/bin,usr/lib/sysusers.d,usr/lib/modules-load.d,usr/lib/udev/rules.d,etc/boardcast} "$units"
  cp "$2" "$1/usr/bin/boardcast"
  cp configs/boardcast.yaml "$1/etc/boardcast/boardcast.yaml"
  cp $here/files/boardcast.service "$units"
  cp $here/files/boardcast.sysusers "$1/usr/lib/sysusers.d/boardcast.conf"
  cp $here/files/boardcast.modules "$1/usr/lib/modules-load.d/boardcast.conf"
  cp $here/files/60-boardcast.rules "$1/usr/lib/udev/rules.d/"
  cp -R "$work/pages/." "$1"
  docs "$1" "$2"
  find "$1" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
  chmod 755 "$1/usr/bin/boardcast"
  find "$1" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

tarball() { # FOLDER NAME
  tar -C "${1%/*}" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=gnu \
    --transform "s,^${1##*/},$2," -c "${1##*/}" | gzip -9n >"dist/$2.tar.gz"
}

main() {
  local upstream
  shift # the base
  upstream=$(upstream_version)
  export DEB_VERSION=$upstream-1~deb$base
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p dist
  pages "$work/pages"
  for ARCH in "$@"; do
    rm -f dist/boardcast_*"~deb${base}_$ARCH.deb" dist/boardcast-*"-linux-$ARCH-debian$base.tar.gz"
    export ARCH STAGE=$work/$ARCH
    LIBRARIES=$(libraries "$ARCH") GSTREAMER=$gstreamer
    export LIBRARIES GSTREAMER
    stage "$STAGE" "bin/$ARCH/debian$base/boardcast"
    "$NFPM" package --config "$here/nfpm.yaml" --packager deb --target "dist/boardcast_${DEB_VERSION}_$ARCH.deb"
    tarball "$STAGE" "boardcast-$upstream-linux-$ARCH-debian$base"
  done
  (cd dist && sha256sum boardcast* >SHA256SUMS && ls -l boardcast* | awk '{ printf "dist/%s: %.1f MB\n", $NF, $5 / 1e6 }')
}

main "$@"
