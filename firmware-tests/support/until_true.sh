# shellcheck shell=bash
# until_true SECONDS COMMAND...: asks until it holds; 1 if it does not in that time. For scripts to source.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $end ]] || return 1
    sleep 0.1
  done
}
