#!/usr/bin/env bash
# depends.sh ARCHITECTURE PROGRAM [SYSROOT]: the packages, with versions, that the program's libraries and their symbols come
# from, as a line for `Depends:`. dpkg-shlibdeps finds them; of another architecture in a sysroot of make_sysroot.sh.
set -euo pipefail

architecture=$1
program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# dpkg-shlibdeps wants to stand in a source package.
mkdir -p "$work"/debian/weir/{DEBIAN,usr/bin}
cp "$program" "$work/debian/weir/usr/bin/weir"
printf 'Source: weir\n\nPackage: weir\nArchitecture: any\n' >"$work/debian/control"

options=()
if [[ -n "${3:-}" ]]; then
  sysroot=$(realpath "$3")
  # Its libraries are looked for under the sysroot, so that is where the packages are said to have put them. A file in /lib may
  # have been found in /usr/lib, which is the same folder on a merged system.
  mkdir -p "$work/dpkg/info" "$work/dpkg/updates"
  cp "$sysroot/dpkg/status" "$work/dpkg/status"
  echo 1 >"$work/dpkg/info/format"
  for file in "$sysroot"/dpkg/info/*; do
    if [[ "$file" == *.list ]]; then
      sed -n "s,^/lib/,&,; p; s,^/lib/,/usr/lib/,p" "$file" | sort -u | sed "s,^,$sysroot," >"$work/dpkg/info/${file##*/}"
    else
      cp "$file" "$work/dpkg/info/"
    fi
  done
  options=("--admindir=$work/dpkg")
  for folder in "$sysroot"/lib/*-linux-gnu* "$sysroot"/usr/lib/*-linux-gnu*; do options+=("-l$folder"); done
fi

cd "$work"
# Without the warning of symbols that no library has: on armhf it names one that the C++ library has under another name.
DEB_HOST_ARCH=$architecture dpkg-shlibdeps --warnings=2 "${options[@]}" -O -edebian/weir/usr/bin/weir | sed -n 's/^shlibs:Depends=//p'
