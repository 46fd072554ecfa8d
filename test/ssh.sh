# ssh.sh is sourced by deploy.sh and board.sh: one connection to a board, over which all commands go, so that a password
# is asked for once. SSH holds options of the caller's own, for ssh and scp both: SSH='-o Port=2222 -i key'.
# shellcheck shell=bash

die() { printf 'boardcast: error: %s\n' "$1" >&2; shift; printf 'boardcast: hint: %s\n' "$@" >&2; exit 1; }

# ssh_hints has rows of what ssh says, and what helps then. The first row that matches counts.
ssh_hints=(
  'Permission denied|log in with a key (ssh-copy-id BOARD), or name it: SSH="-i FILE"'
  'Could not resolve|check the name; a board in the same network often answers to NAME.local, else take its address'
  'Connection refused|start the board'"'"'s SSH server (on Raspberry Pi OS: sudo raspi-config, Interface Options), or give its port: SSH="-o Port=2222"'
  'timed out|is the board on, and in this network? ping it'
  'No route to host|is the board on, and in this network? ping it'
  'Host key verification failed|if the board was flashed anew, forget its old key: ssh-keygen -R HOST; then log in once by hand: ssh BOARD'
)

# ssh_failed WHAT ends the script with what ssh or scp has said last, which is in $work/said.
ssh_failed() {
  local row said
  said=$(grep -v '^$' "$work/said" | tail -n 1 || true)
  for row in "${ssh_hints[@]}"; do
    if grep -q "${row%%|*}" "$work/said"; then
      row=${row#*|} row=${row//BOARD/$board}
      die "$1: ${said%$'\r'}" "${row//HOST/${board#*@}}"
    fi
  done
  die "$1: ${said:-ssh ended without a word}" "try it by hand: ssh ${SSH:+$SSH }$board"
}

# quoted quotes a script as one word, for the shell on the board, whichever that is.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# on_board [OPTION...] SCRIPT runs a POSIX shell script on the board.
on_board() { ssh "${options[@]}" "${@:1:$#-1}" "$board" "sh -c $(quoted "${!#}")"; }

# disconnect runs at the end of the script, by a trap.
disconnect() {
  ssh "${options[@]}" -O exit "$board" >"$work/said" 2>&1 || true
  rm -rf "$work"
}

# connect BOARD sets board, options and work, a folder that is removed at the end. It does not call the board yet.
connect() {
  local tool own
  board=$1
  [[ $board =~ ^[A-Za-z0-9_][A-Za-z0-9_.@:%-]*$ ]] || die "no board: '$board' is not USER@HOST" "for example: BOARD=pi@raspberrypi.local"
  for tool in ssh scp; do
    command -v "$tool" >/dev/null || die "$tool is missing here" "install your system's SSH client (Debian: apt-get install openssh-client)"
  done
  work=$(mktemp -d)
  read -ra own <<<"${SSH:-}"
  # Of two options of one name ssh takes the first.
  options=("${own[@]}" -o ConnectTimeout=10 -o ControlMaster=auto -o "ControlPath=$work/to" -o ControlPersist=1m)
  trap disconnect EXIT
}
