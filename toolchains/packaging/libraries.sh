#!/usr/bin/env bash
# libraries.sh SYSROOT ROOT: copies the shared libraries that ROOT/usr/bin/weir needs, and those that they need, from a sysroot of
# make_sysroot.sh into ROOT, each where the sysroot has it. What ROOT has already is left alone. A line for each that was
# copied; exit code 1 if the sysroot has not got one.
set -euo pipefail

sysroot=$(realpath "$1")
root=$(realpath "$2")
program=$root/usr/bin/weir

copy() { # PATH
  if [[ ! -e "$root/$1" ]]; then
    install -D -m 755 "$sysroot/$1" "$root/$1"
    echo "$1, $(stat -c %s "$root/$1") bytes"
  fi
}

# The kernel looks for the loader where the program says that it is, the loader for libraries where Debian's has them.
loader=$(readelf --program-headers --wide "$program" | sed -n 's,.*program interpreter: /\(.*\)\],\1,p')
copy "$loader"
seen=" ${loader##*/} "
waiting=("$program")
while [[ ${#waiting[@]} -gt 0 ]]; do
  file=${waiting[0]}
  waiting=("${waiting[@]:1}")
  for name in $(readelf --dynamic --wide "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    if [[ "$seen" == *" $name "* ]]; then continue; fi
    seen+="$name "
    found=$(cd "$sysroot" && find lib usr/lib -maxdepth 2 -name "$name" -print -quit)
    if [[ -z "$found" ]]; then
      echo "libraries.sh: $sysroot has no $name" >&2
      exit 1
    fi
    waiting+=("$sysroot/$found")
    copy "$found"
  done
done
