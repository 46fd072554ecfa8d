#!/usr/bin/env bash
# sysroot.sh ARCH BASE [run] prints the folder of a sysroot: the libraries and headers of Debian BASE (12 or 13) for ARCH
# (amd64, arm64 or armhf) that boardcast is linked with, made when it isn't there yet. With `run` it also holds
# GStreamer's plugins, which is what qemu-user wants.
#
# Nothing is installed on this machine and no root is needed: apt works in a state of its own, with this machine's
# Debian sources, and the packages are only unpacked. What is made is kept in ${XDG_CACHE_HOME:-~/.cache}.
set -euo pipefail

# shellcheck source=SCRIPTDIR/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

declare -A triples=([amd64]=x86_64-linux-gnu [arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf)

# One line per library, with its -dev package where pkg-config asks for that (pkg-config follows Requires.private). a|b is
# the first of the two that the base has: Debian 13 renamed the libraries with a time_t in their interface.
link_set=(
  libc6 libc6-dev linux-libc-dev libcrypt1 libcrypt-dev libgcc-s1
  libgstreamer1.0-0 libgstreamer1.0-dev libgstreamer-plugins-base1.0-0 libgstreamer-plugins-base1.0-dev
  'libglib2.0-0t64|libglib2.0-0' libglib2.0-dev
  libpcre2-8-0 libpcre2-dev
  libffi8 libffi-dev
  zlib1g zlib1g-dev
  libmount1 libmount-dev
  libblkid1 libblkid-dev
  libselinux1 libselinux1-dev
  libsepol2 libsepol-dev
  'libdw1t64|libdw1' libdw-dev
  'libelf1t64|libelf1' libelf-dev
  libunwind8 libunwind-dev
  liblzma5 liblzma-dev
  libbz2-1.0 libbz2-dev
  libcap2
  liborc-0.4-0 liborc-0.4-dev
)
declare -A base_set=([12]='' [13]='libgio-2.0-dev libsysprof-capture-4-dev liborc-0.4-0t64 libzstd1 libzstd-dev libatomic1')

# apt adds the packages that these depend on.
run_set=(
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-nice gstreamer1.0-alsa
  gstreamer1.0-x fonts-dejavu-core
)

# named prints the packages to fetch: the link set by name, and the run set, if wanted, with all that it depends on. A name
# of the link set that the base lacks is left out, and pkg-config complains if it is needed.
named() {
  local entry name
  local -A known=()
  while read -r name; do known[$name]=1; done < <(apt-cache dumpavail | awk '$1 == "Package:" { print $2 }')
  # shellcheck disable=SC2086 # a list of words
  for entry in "${link_set[@]}" ${base_set[$base]}; do
    for name in ${entry//|/ }; do
      if [[ -n ${known[$name]-} ]]; then printf '%s\n' "$name"; break; fi
    done
  done
  [[ -z $with_plugins ]] || apt-get -q=2 --simulate install "${run_set[@]}" | awk '$1 == "Inst" { sub(/:.*/, "", $2); print $2 }'
}

# ---- unpacking

# relative turns the absolute links that packages hold, which would lead out of the sysroot, into relative ones.
relative() {
  local link target
  find "$1" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
    target=$1$(readlink "$link")
    ln -sfn "$(realpath -m --no-symlinks --relative-to="${link%/*}" "$target")" "$link"
  done
}

# slim drops what neither a linker nor qemu reads; libc's own archives hold what every link needs.
slim() {
  rm -rf "$1"/usr/share/{doc,man,locale,gir-1.0,info,lintian,bug} "$1"/usr/lib/*/{cmake,girepository-1.0}
  find "$1" -name '*.a' ! -name 'libc.a' ! -name 'libc_nonshared.a' ! -name 'libpthread*' ! -name 'libm*.a' \
    ! -name 'libdl.a' ! -name 'librt.a' ! -name 'libmvec.a' -delete
}

make_sysroot() { # FOLDER
  local root=$1 work=$1/.apt dir deb
  mkdir -p "$root/usr"/{lib,bin,sbin}
  for dir in lib bin sbin; do ln -s "usr/$dir" "$root/$dir"; done
  # Debian's dynamic linkers of 64-bit x86 lie in a folder of their own.
  if [[ $arch == amd64 ]]; then mkdir "$root/usr/lib64"; ln -s usr/lib64 "$root/lib64"; fi
  private_apt "$work" "$arch" "$base"
  update_lists "$arch" "$base"
  named | sort -u >"$root/packages"
  printf '==> fetching %s packages of Debian %s for %s\n' "$(wc -l <"$root/packages")" "$base" "$arch" >&2
  # shellcheck disable=SC2046 # a list of words
  (cd "$work/archives" && apt-get -q=2 download $(<"$root/packages") >&2) ||
    die "fetch the packages of the sysroot: apt-get did not succeed" "see its message above; a mirror may be in the middle of a synchronisation: try again"
  for deb in "$work"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner
    dpkg-deb --show --showformat '${Package} ${Version}\n' "$deb"
  done >"$root/versions"
  slim "$root"
  relative "$root"
  rm -rf "$work"
}

main() {
  arch=${1:-} base=${2:-} with_plugins=${3:-}
  [[ -n ${triples[$arch]-} && -n ${codenames[$base]-} ]] || die "sysroot: no '$arch' of Debian '$base'" "use: $0 amd64|arm64|armhf 12|13 [run]"
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/boardcast-sysroot want root made
  # The name holds what is asked for, so that another list of packages makes another sysroot.
  want=$(printf '%s\n' "${link_set[@]}" "${base_set[$base]}" ${with_plugins:+"${run_set[@]}"} | sha256sum | cut -c 1-8)
  root=$cache/$base-$arch${with_plugins:+-run}-$want
  if [[ ! -d $root ]]; then
    mkdir -p "$cache"
    made=$(mktemp -d "$cache/.making-XXXXXX")
    # shellcheck disable=SC2064 # the name of now
    trap "rm -rf '$made'" EXIT
    make_sysroot "$made"
    chmod 755 "$made"
    mv -T "$made" "$root" 2>/dev/null || [[ -d $root ]] # another run may have been faster
  fi
  printf '%s\n' "$root"
}

main "$@"
