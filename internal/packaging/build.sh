#!/usr/bin/env bash
# build.sh ARCH BASE cross-builds bin/ARCH/debianBASE/boardcast. VERSION and COMMIT are what the program says of itself.
#
# amd64 is built against a sysroot as well: a package must depend on the libraries of its Debian, and not on those of the
# machine that built it. The same commit gives the same file, in whatever folder it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

arch=${1:-} base=${2:-}
case $arch in
  amd64) triple=x86_64-linux-gnu goarch=amd64 ;;
  arm64) triple=aarch64-linux-gnu goarch=arm64 ;;
  armhf) triple=arm-linux-gnueabihf goarch=arm ;;
  *) die "build: no architecture '$arch'" "use: $0 amd64|arm64|armhf 12|13" ;;
esac
for tool in "$triple-gcc" pkg-config apt-get dpkg-deb go; do
  command -v "$tool" >/dev/null ||
    die "a build for $arch needs $tool" "test/bootstrap.sh packages $arch installs what a Debian lacks; Go is at go.dev"
done

root=$(internal/packaging/sysroot.sh "$arch" "$base")
lib=$root/usr/lib/$triple

# All of these are in the build cache's key: one set for all, or the GStreamer binding is compiled again.
export GOOS=linux GOARCH=$goarch GOARM=7 CGO_ENABLED=1
export CC="$triple-gcc --sysroot=$root" CXX="$triple-g++ --sysroot=$root"
export PKG_CONFIG=pkg-config PKG_CONFIG_PATH='' PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR=$lib/pkgconfig:$root/usr/share/pkgconfig
export CGO_CFLAGS="-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$root="
# The libraries' own libraries are the board's matter: the sysroot holds few of them.
export CGO_LDFLAGS='-Wl,--allow-shlib-undefined -Wl,-z,relro,-z,now'

out=bin/$arch/debian$base/boardcast
if [[ ! -e $out && $(go list -buildmode=pie -f '{{.Stale}}' github.com/go-gst/go-gst/gst 2>/dev/null) != false ]]; then
  echo "==> the first build for $arch on Debian $base compiles the GStreamer binding: some five minutes of processor time"
fi
# Without -buildid= the file would hold a hash of the sysroot's path.
go build -buildmode=pie -ldflags "-s -w -buildid= -X main.version=${VERSION:-} -X main.commit=${COMMIT:-}" \
  -o "$out" ./cmd/boardcast
ls -l "$out" | awk '{ printf "%s: %.1f MB\n", $NF, $5 / 1e6 }'
