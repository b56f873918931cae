#!/usr/bin/env bash
# make_sysroot.sh ARCHITECTURE FOLDER: what a cross compiler and qemu need of a Debian 12 for arm64 or armhf: headers and libraries
# out of Debian's packages. They are only unpacked: none of their scripts runs, and no foreign architecture is added to this
# machine. A folder that holds them already is left alone.
set -euo pipefail

architecture=$1
folder=$2
suite=bookworm
packages=libc6-dev,libstdc++6,libgcc-s1,libmosquitto-dev,libsqlite3-dev,libssl-dev,libnanopb-dev,libsimdjson-dev
packages+=,libtomlplusplus-dev,libxxhash-dev,libcpputest-dev
stamp="$suite $architecture $packages 1"

if [[ -f "$folder/.stamp" && "$(<"$folder/.stamp")" == "$stamp" ]]; then exit 0; fi

# The archive that this machine's own apt uses for the suite.
# shellcheck disable=SC2016  # apt fills those in
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  awk -v suite="$suite" '$2 == suite { print $1; exit }')
unfinished="$folder.unfinished.$$"
trap 'rm -rf "$unfinished"' EXIT
mkdir -p "$(dirname "$folder")"

made=
for pause in 5 10 0; do
  rm -rf "$unfinished"
  if mmdebstrap --quiet --variant=extract --architectures="$architecture" --include="$packages" \
    --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
    "$suite" "$unfinished" "deb ${mirror:-http://deb.debian.org/debian} $suite main"; then
    made=yes
    break
  fi
  sleep "$pause"
done
if [[ -z "$made" ]]; then
  echo "make_sysroot.sh: the packages for $architecture could not be had" >&2
  exit 1
fi

# Links like libm.so -> /lib/... would lead into this machine.
find "$unfinished" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
  ln -sfnr "$unfinished$(readlink "$link")" "$link"
done
rm -rf "${unfinished:?}"/{dev,tmp,var} "${unfinished:?}"/usr/share/{doc,man,locale,info}
echo "$stamp" >"$unfinished/.stamp"
rm -rf "$folder"
mv "$unfinished" "$folder"
