#!/bin/bash
# Prepares the lab: Debian's own kernel, its modules, the modules it leaves out, and an initramfs, all under
# ${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-lab/<kernel version>. Nothing of the kernel is installed on this machine.
# A second run finds everything there and touches neither the network nor apt. Prints the cache directory as its
# last line on stdout; progress goes to stderr.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-lab
tools=(qemu-system-x86 busybox-static cpio kmod udev v4l-utils alsa-utils iproute2 procps xz-utils binutils make
	chromium gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad)
[ -z "${LAB_SOAK-}" ] || tools+=(gnuplot-nox)
# The modules that the guest needs before it can read the others from the host's file system. Those that these depend on are added.
boot_modules=(virtio_pci 9pnet_virtio 9p overlay)
# The parts of the kernel package that are kept: a fifth of it.
kept=(drivers/media drivers/virtio drivers/char/hw_random drivers/net/virtio_net.ko drivers/net/net_failover.ko
	drivers/usb/core drivers/usb/common drivers/i2c drivers/hid net sound fs/9p fs/netfs fs/fscache fs/overlayfs
	crypto lib)

usage() {
	cat <<-USAGE
		usage: test/lab/prepare.sh [--update]
		Downloads and builds what the lab boots, once per kernel version (about two minutes, 225 MB downloaded,
		some 300 MB kept under $cache).
		  --update  look for a newer Debian kernel instead of taking the newest one already prepared
	USAGE
}

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'lab: hint: %s\n' "$2" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# timed NAME COMMAND...: runs one step, saying what it is and how long it took. Its output is shown only if it fails.
timed() {
	local name=$1 start=$SECONDS log=$work/log
	shift
	printf 'lab: %s ... ' "$name" >&2
	if ! "$@" >"$log" 2>&1; then
		printf 'no\n' >&2
		tail -n 40 "$log" >&2
		die "$name"
	fi
	printf '%d s\n' $((SECONDS - start)) >&2
}

# install PACKAGE...: those that are missing, and only those.
install() {
	local missing=() p have
	have=$(dpkg-query -W -f '${Package} ${Status}\n' "$@" 2>/dev/null) || true
	for p in "$@"; do
		grep -qx "$p install ok installed" <<<"$have" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "packages are missing: ${missing[*]}" "install them as root"
	timed "install ${missing[*]}" apt_install "${missing[@]}"
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null && return
	as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null
}

# newest: the newest kernel version that was prepared.
newest() {
	local d
	for d in "$cache"/*/kernel.stamp; do
		[ ! -e "$d" ] || basename "$(dirname "$d")"
	done | sort -V | tail -n 1
}

# candidate: the kernel version that Debian offers now, such as 6.1.0-56-amd64.
candidate() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p' | head -n 1; }

# needs PATTERN: the packages that the kernel's headers depend on and whose names begin so.
needs() { apt-cache depends "linux-headers-$kv" | sed -n "s/^ *Depends: \($1[^ ]*\)$/\1/p" | head -n 1; }

# fetch NAME[=VERSION]: one package into $work, unless it is there. apt checks size and sum against the signed index;
# an index too old to be served any more is renewed.
fetch() {
	compgen -G "$work/${1%=*}_*.deb" >/dev/null && return
	(cd "$work" && { apt-get download "$1" || { as_root apt-get update && apt-get download "$1"; }; })
}

download_kernel() { fetch "linux-image-$kv"; }

# Headers and sources must be of the kernel's very version, or its modules' symbols differ.
download_headers() {
	local version p
	version=$(dpkg-deb -f "$work/linux-image-$kv"_*.deb Version)
	for p in "linux-headers-$kv" "$(needs linux-headers-)" "$(needs linux-kbuild-)" "linux-source-$series"; do
		fetch "$p=$version" || return 1
	done
	fetch v4l2loopback-dkms
}

unpack_kernel() {
	local patterns=() p
	for p in "${kept[@]}"; do patterns+=("./lib/modules/$kv/kernel/$p"); done
	rm -rf "$dir/image" && mkdir -p "$dir/image"
	dpkg-deb --fsys-tarfile "$work/linux-image-$kv"_*.deb |
		tar -x -C "$dir/image" "./boot/vmlinuz-$kv" "./boot/config-$kv" "./lib/modules/$kv/modules.builtin" \
			"./lib/modules/$kv/modules.builtin.modinfo" "./lib/modules/$kv/modules.order" "${patterns[@]}"
	if grep -q '^CONFIG_MODULE_SIG_FORCE=y' "$dir/image/boot/config-$kv"; then
		echo "this kernel takes signed modules only"
		return 1
	fi
}

# The kernel inside vmlinuz is xz-compressed. Emulated, decompressing takes longer than booting: do it here, once.
decompress_kernel() {
	local image=$dir/image/boot/vmlinuz-$kv offset
	offset=$(LC_ALL=C grep -abo -P '\xfd7zXZ\x00' "$image" | head -n 1 | cut -d: -f1)
	[ -n "$offset" ] || { echo "no xz payload in $image"; return 1; }
	# xz complains of the bytes that follow its payload; whether the result is whole is what the ELF check says.
	tail -c +$((offset + 1)) "$image" | xz -dc --single-stream >"$dir/vmlinux" 2>/dev/null || true
	readelf -S "$dir/vmlinux" | grep -q '\.text' && rm "$image"
}

unpack_headers() {
	local p common
	common=$(needs linux-headers-)
	rm -rf "$dir/headers" && mkdir -p "$dir/headers"
	for p in "linux-headers-$kv" "$common" "$(needs linux-kbuild-)"; do
		dpkg-deb --fsys-tarfile "$work/$p"_*.deb | tar -x -C "$dir/headers"
	done
	# Its makefile names the directory that it would be installed in.
	echo "include $dir/headers/usr/src/$common/Makefile" >"$build/Makefile"
}

# The sources of the modules that Debian's configuration leaves out.
unpack_sources() {
	rm -rf "$dir/oot" && mkdir -p "$dir/oot"
	dpkg-deb --fsys-tarfile "$work/linux-source-$series"_*.deb | tar -xO "./usr/src/linux-source-$series.tar.xz" |
		tar -xJ -C "$dir/oot" --strip-components=4 --wildcards \
			'*/drivers/media/v4l2-core/v4l2-mem2mem.c' '*/drivers/media/test-drivers/vicodec' '*/drivers/media/test-drivers/vim2m.c'
	dpkg-deb --fsys-tarfile "$work/v4l2loopback-dkms"_*.deb | tar -x -C "$dir/oot" --strip-components=4 --wildcards '*.[ch]'
	cp "$here/kernel/Kbuild" "$dir/oot/"
}

# compiler: the one that the kernel was built with, such as gcc-12.
compiler() { sed -n 's/^CONFIG_CC_VERSION_TEXT="[^"]*\(gcc-[0-9]*\) .*/\1/p' "$build/.config"; }

kbuild() { make -C "$build" CC="$(compiler)" M="$1" -j"$(nproc)" modules "${@:2}"; }

# add DIRECTORY: its freshly built modules become part of the guest's.
add() {
	mkdir -p "$dir/image/lib/modules/$kv/extra"
	local ko
	for ko in "$1"/*.ko "$1"/*/*.ko; do
		[ -e "$ko" ] || continue
		strip --strip-debug -o "$dir/image/lib/modules/$kv/extra/$(basename "$ko")" "$ko"
	done
	depmod -b "$dir/image" "$kv"
}

build_modules() { kbuild "$dir/oot" && add "$dir/oot"; }

build_own() {
	rm -rf "$dir/own" && mkdir -p "$dir/own"
	cp "$here"/module/* "$dir/own/"
	kbuild "$dir/own" KBUILD_EXTRA_SYMBOLS="$dir/oot/Module.symvers" && add "$dir/own"
}

# The modules to load first, in order, are names in a file that init reads.
build_initramfs() {
	local root=$dir/initramfs m
	rm -rf "$root" && mkdir -p "$root"/{bin,lib,proc,sys,dev,mnt}
	cp /bin/busybox "$root/bin/busybox"
	cp "$here/guest/init" "$root/init"
	for m in "${boot_modules[@]}"; do
		modprobe -d "$dir/image" -S "$kv" --show-depends "$m" || return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r m; do
		cp "$m" "$root/lib/" && echo "/lib/$(basename "$m")"
	done >"$root/lib/order"
	[ -s "$root/lib/order" ] || return 1
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$dir/initramfs.cpio"
	rm -rf "$root"
}

# sum FILE...: one line that stands for the contents of the files.
sum() { cat "$@" | sha256sum | cut -d' ' -f1; }

# step NAME INPUTS-SUM COMMANDS...: runs the commands unless they have run with the same inputs.
step() {
	local stamp=$dir/$1.stamp inputs=$2 c
	[ "$(cat "$stamp" 2>/dev/null)" != "$inputs" ] || return 0
	rm -f "$stamp" "$dir/sums"
	shift 2
	for c in "$@"; do timed "${c//_/ } ($kv)" "$c"; done
	echo "$inputs" >"$stamp"
}

# whole: everything that was prepared is there, byte for byte as it was made.
whole() { (cd "$dir" && sha256sum --quiet -c sums >/dev/null 2>&1); }

prepare() {
	if [ -e "$dir/sums" ] && ! whole; then
		say "the cache of $kv is damaged: making it anew"
		rm -rf "$dir"
	fi
	mkdir -p "$work"
	step kernel "$(sum "$here/kernel/Kbuild") ${kept[*]}" download_kernel unpack_kernel decompress_kernel \
		download_headers unpack_headers unpack_sources
	install "$(compiler)"
	step modules "$(sum "$dir"/oot/Kbuild)" build_modules
	step initramfs "$(sum "$here/guest/init") ${boot_modules[*]}" build_initramfs
	if compgen -G "$here/module/*.c" >/dev/null; then
		step own "$(sum "$here"/module/* "$dir/oot/Module.symvers")" build_own
	fi
	(cd "$dir" && find vmlinux initramfs.cpio image/lib -type f -print0 | xargs -0 sha256sum >sums)
	rm -rf "$work"
}

# choose: the kernel version to prepare.
choose() {
	kv=
	[ "$1" = yes ] || kv=$(newest)
	[ -n "$kv" ] || kv=$(candidate)
	if [ -z "$kv" ]; then
		as_root apt-get update >&2
		kv=$(candidate)
	fi
	[ -n "$kv" ] || die "apt knows no linux-image-amd64" "apt-get update, or add Debian's main section to apt's sources"
	series=$(cut -d. -f1,2 <<<"$kv")
	dir=$cache/$kv
	work=$dir/work
	build=$dir/headers/usr/src/linux-headers-$kv
}

main() {
	local update=no
	case ${1-} in
	--help | -h) usage; exit ;;
	--update) update=yes ;;
	'') ;;
	*) usage >&2; exit 2 ;;
	esac
	command -v apt-get >/dev/null || die "the lab is made of Debian packages" "run it on Debian 12 or newer"
	[ "$(dpkg --print-architecture)" = amd64 ] || die "the lab boots an x86-64 kernel, and this machine is not one"
	choose "$update"
	mkdir -p "$work"
	exec 9>"$cache/lock"
	flock 9
	install "${tools[@]}"
	prepare
	echo "$dir"
}

main "$@"
