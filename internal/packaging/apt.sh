# apt.sh is sourced: an apt with a state of its own, whose sources are derived from those of this machine. No mirror is
# spelled out anywhere.
# shellcheck shell=bash

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

declare -A codenames=([12]=bookworm [13]=trixie)

# sources BASE writes this machine's Debian sources, with the base's name in place of the machine's. It asks apt for them,
# so the form in which the machine has them written down does not matter.
sources() {
  local name=${codenames[$1]}
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed='' site codename release component
  [[ ! -r $keyring ]] || signed=" [signed-by=$keyring]"
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
    sort -u | while IFS='|' read -r origin site codename release component; do
    [[ $origin == Debian && $component == main && $release != *backports* ]] || continue
    case $release in
      *-security) release=$name-security ;;
      *-updates) release=$name-updates ;;
      *) release=$name ;;
    esac
    printf 'deb%s %s %s main\n' "$signed" "$site" "$release"
  done | sort -u
}

# private_apt FOLDER ARCH BASE writes the settings of an apt that knows nothing of this machine's packages.
private_apt() {
  mkdir -p "$1"/{lists/partial,archives/partial,empty}
  : >"$1/status"
  sources "$3" >"$1/sources.list"
  grep -q . "$1/sources.list" || die "no Debian source among those of apt on this machine" \
    "cross builds need a Debian host whose lists have been fetched: apt-get update"
  cat >"$1/apt.conf" <<CONF
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$1";
Dir::State::status "$1/status";
Dir::Cache "$1";
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "$1/empty";
Dir::Etc::preferencesparts "$1/empty";
CONF
  export APT_CONFIG=$1/apt.conf
}

# update_lists leaves Debian's security suite out when a mirror is in the middle of a synchronisation.
update_lists() { # ARCH BASE
  apt-get -q=2 update >&2 && return
  printf 'boardcast: warning: apt-get update was not clean, trying without the security suite\n' >&2
  sed -i '/-security /d' "${APT_CONFIG%/*}/sources.list"
  apt-get -q=2 update >&2 || die "apt-get update for Debian $2 ($1) did not succeed" "see its message above"
}
