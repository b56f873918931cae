#!/usr/bin/env bash
# make_sysroot.sh ARCHITECTURE FOLDER: what a cross compiler and qemu need of a Debian 12 for arm64 or armhf: headers and libraries
# out of Debian's packages, and what these say of their libraries. They are only unpacked: none of their scripts runs, and no
# foreign architecture is added to this machine. A folder that holds them already is left alone.
set -euo pipefail

architecture=$1
folder=$2
suite=bookworm
packages=libc6-dev,libstdc++6,libgcc-s1,libmosquitto-dev,libsqlite3-dev,libssl-dev,libnanopb-dev,libsimdjson-dev
packages+=,libtomlplusplus-dev,libxxhash-dev,libcpputest-dev
stamp="$suite $architecture $packages 2"

if [[ -f "$folder/.stamp" && "$(<"$folder/.stamp")" == "$stamp" ]]; then exit 0; fi

# What the packages say of their libraries, as dpkg keeps it of installed ones, from which packaging/depends.sh tells what a
# package of ours depends on: FOLDER/dpkg.
keep_symbols() { # FOLDER
  local deb name
  mkdir -p "$1/dpkg/info"
  for deb in "$1"/var/cache/apt/archives/*.deb; do
    name=$(dpkg-deb --field "$deb" Package)
    { dpkg-deb --field "$deb" && printf 'Status: install ok installed\n\n'; } >>"$1/dpkg/status"
    dpkg-deb --fsys-tarfile "$deb" | tar --list | sed -n 's,^\.\(/.*[^/]\)$,\1,p' >"$1/dpkg/info/$name:$architecture.list"
    for file in symbols shlibs; do
      dpkg-deb --ctrl-tarfile "$deb" | tar --extract --to-stdout "./$file" >"$1/dpkg/info/$name:$architecture.$file" 2>/dev/null ||
        rm "$1/dpkg/info/$name:$architecture.$file"
    done
  done
}

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
    --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' --skip=cleanup/apt \
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
keep_symbols "$unfinished"
rm -rf "${unfinished:?}"/{dev,tmp,var} "${unfinished:?}"/usr/share/{doc,man,locale,info}
echo "$stamp" >"$unfinished/.stamp"
rm -rf "$folder"
mv "$unfinished" "$folder"
