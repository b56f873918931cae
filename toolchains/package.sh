#!/usr/bin/env bash
# package.sh [--build-only] [amd64 | arm64 | armhf]...: builds the agent for these gateways (all three without a word) and packs it, unless it is only to be built:
#   dist/weir_VERSION_ARCHITECTURE.deb       for Debian 12 and Raspberry Pi OS of the same age
#   dist/weir-VERSION-ARCHITECTURE.tar.gz    the same files, for a root file system without dpkg
#   dist/weir-VERSION-ARCHITECTURE.debug     the symbols that were stripped off, for addr2line and gdb
# The same sources give the same bytes, in whatever folder: every time is SOURCE_DATE_EPOCH, or else that of the last commit.
# libstdc++ is not linked in: simdjson's library needs the shared one anyway, so that a second copy would only cost memory.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
umask 022
export LC_ALL=C TZ=UTC

declare -A triples=([amd64]=x86_64-linux-gnu [arm64]=aarch64-linux-gnu [armhf]=arm-linux-gnueabihf)
declare -A emulators=([arm64]=qemu-aarch64-static [armhf]=qemu-arm-static)
build_only=
if [[ "${1:-}" == --build-only ]]; then
  build_only=1
  shift
fi
architectures=("$@")
[[ $# -gt 0 ]] || architectures=(amd64 arm64 armhf)
for architecture in "${architectures[@]}"; do
  if [[ -z "${triples[$architecture]:-}" ]]; then
    echo "package.sh: unknown architecture $architecture; there are: amd64, arm64, armhf" >&2
    exit 64
  fi
done

version=$(toolchains/version.sh)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
# ccache would turn paths into relative ones, and other names of files would get into the agent than without it.
export CCACHE_BASEDIR=
launcher=
if command -v ccache >/dev/null; then launcher=ccache; fi

build() { # ARCHITECTURE
  if [[ "$1" != amd64 ]]; then toolchains/make_sysroot.sh "$1" "build/sysroot/$1"; fi
  cmake --preset "package-$1" "-DCMAKE_C_COMPILER_LAUNCHER=$launcher" "-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher" >/dev/null
  cmake --build "build/package-$1" --target weir -- --quiet
}

# The one time that every file gets.
settle() { # FOLDER
  find "$1" -print0 | xargs -0 touch --no-dereference "--date=@$SOURCE_DATE_EPOCH"
}

pack_deb() { # ARCHITECTURE ROOT
  local control="$2/DEBIAN" size depends
  local -a sysroot=()
  if [[ "$1" != amd64 ]]; then sysroot=("build/sysroot/$1"); fi
  depends=$(toolchains/packaging/depends.sh "$1" "$2/usr/bin/weir" "${sysroot[@]}")
  # As dpkg-gencontrol counts: what a file takes in KiB, and one for everything else.
  size=$(find "$2" -mindepth 1 -type f -printf '%s\n' -o -printf '1\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
  mkdir "$control"
  (cd "$2" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$control/md5sums"
  (cd "$2" && find etc -type f -printf '/%p\n' | sort) >"$control/conffiles"
  sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$1/; s/@INSTALLED_SIZE@/$size/; s/@DEPENDS@/$depends/" \
    toolchains/packaging/control.in >"$control/control"
  install -m 755 toolchains/packaging/{postinst,prerm,postrm} "$control"
  settle "$2"
  dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$2" "dist/weir_${version}_$1.deb" >/dev/null
  rm -r "$control"
}

# Files only, no folders: unpacked over a system, it leaves the modes of what is there alone, and /lib may be a link.
pack_tarball() { # ARCHITECTURE ROOT
  local name="weir-$version-$1"
  mkdir -p "$2/usr/lib"
  mv "$2/lib/systemd" "$2/usr/lib/systemd"
  rmdir "$2/lib"
  settle "$2"
  (cd "$2" && find . -type f -printf '%P\0' | sort -z |
    tar --create --null --files-from=- --format=gnu --owner=root:0 --group=root:0 --mode=u+rw,go+r-w --transform="s,^,$name/,") |
    gzip --no-name -9 >"dist/$name.tar.gz"
}

pack() { # ARCHITECTURE
  local work root triple="${triples[$1]}"
  local -a agent=("$PWD/build/package-$1/weir")
  if [[ "$1" != amd64 ]]; then agent=("${emulators[$1]}" -L "$PWD/build/sysroot/$1" "${agent[@]}"); fi
  work=$(mktemp -d)
  root="$work/root"
  mkdir "$root"
  toolchains/packaging/stage.sh "$root" "${agent[@]}"
  "$triple-objcopy" --only-keep-debug --compress-debug-sections "build/package-$1/weir" "dist/weir-$version-$1.debug"
  chmod 644 "dist/weir-$version-$1.debug"
  "$triple-strip" --remove-section=.comment --remove-section=.note -o "$root/usr/bin/weir" "build/package-$1/weir"
  pack_deb "$1" "$root"
  pack_tarball "$1" "$root"
  echo "package: $1: the agent has $(stat -c %s "$root/usr/bin/weir") bytes; in dist/:"
  (cd dist && stat -c '  %n, %s bytes' "weir_${version}_$1.deb" "weir-$version-$1".{tar.gz,debug})
  rm -rf "$work"
}

mkdir -p dist
for architecture in "${architectures[@]}"; do
  build "$architecture"
  if [[ -z "$build_only" ]]; then pack "$architecture"; fi
done
