#!/usr/bin/env bash
# proxies.sh unpacks Debian's nginx and Caddy into bin/proxies, for TestReverseProxies. Nothing is installed: the packages'
# installation would start two servers on this machine's port 80. Where both are there already it does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

folder=bin/proxies
declare -A programs=([nginx]=usr/sbin/nginx [caddy]=usr/bin/caddy)

missing=()
for name in nginx caddy; do
  [[ -x $folder/${programs[$name]} ]] || command -v "$name" >/dev/null || missing+=("$name")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

command -v apt-get >/dev/null || die "no ${missing[*]} here, and no apt to fetch them" "put ${missing[*]} on the PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '==> missing here, unpacking from Debian into %s: %s\n' "$folder" "${missing[*]}"
(cd "$work" && apt-get -q -o "APT::Sandbox::User=$(id -un)" download "${missing[@]}") ||
  die "fetch ${missing[*]}: apt-get did not succeed" "see its message above; apt-get update fetches newer lists"
mkdir -p "$folder"
for package in "$work"/*.deb; do
  dpkg-deb -x "$package" "$folder"
done
for name in "${missing[@]}"; do
  [[ -x $folder/${programs[$name]} ]] || die "the package $name has no ${programs[$name]}" "put $name on the PATH"
done
