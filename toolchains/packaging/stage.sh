#!/usr/bin/env bash
# stage.sh ROOT AGENT...: puts everything that a package holds into ROOT, an empty folder, as it will lie on the gateway, but for
# the agent itself, which the caller strips. AGENT is the agent, or an emulator and its words: it writes its own documentation.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

root=$1
agent=("${@:2}")

# gzip -n: without the name and the time of the original.
put() { # FILE PATH
  install -D -m 644 "$1" "$root/$2"
}
put_compressed() { # PATH <TEXT
  mkdir -p "$(dirname "$root/$1")"
  gzip --no-name -9 >"$root/$1"
  chmod 644 "$root/$1"
}

mkdir -p "$root/usr/bin"
put configs/weir.service lib/systemd/system/weir.service
put toolchains/packaging/weir.sysusers usr/lib/sysusers.d/weir.conf
put toolchains/packaging/weir.tmpfiles usr/lib/tmpfiles.d/weir.conf
put configs/weir.toml etc/weir/weir.toml
mkdir -p "$root/usr/share/weir"
"${agent[@]}" schema >"$root/usr/share/weir/weir.schema.json"
put toolchains/packaging/weir.bash usr/share/bash-completion/completions/weir
put toolchains/packaging/weir.zsh usr/share/zsh/vendor-completions/_weir

"${agent[@]}" schema --man | put_compressed usr/share/man/man5/weir.toml.5.gz
toolchains/packaging/manual.sh "${agent[@]}" | put_compressed usr/share/man/man1/weir.1.gz
put toolchains/packaging/copyright usr/share/doc/weir/copyright
maintainer=$(sed -n 's/^Maintainer: //p' toolchains/packaging/control.in)
toolchains/packaging/changelog.sh "$maintainer" "$SOURCE_DATE_EPOCH" <CHANGELOG.md | put_compressed usr/share/doc/weir/changelog.gz

# What is installed elsewhere is no example.
find configs -type f -not -name weir.service -not -name weir.toml -not -name weir.schema.json -print0 |
  while IFS= read -r -d '' file; do
    put "$file" "usr/share/doc/weir/examples/${file#configs/}"
    if [[ -x "$file" ]]; then chmod 755 "$root/usr/share/doc/weir/examples/${file#configs/}"; fi
  done
