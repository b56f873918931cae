#!/usr/bin/env bash
# golden_on_arm.sh: compiles the expressions for arm64 and armhf, runs them under qemu and compares what they compute with
# firmware-tests/unit/expression_golden.txt, to the last bit. `./dev arm` installs what it needs.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The host's include folder would bring its own C library along.
mkdir "$work/include"
cp /usr/include/xxhash.h "$work/include/"
if [[ -f /usr/include/xxh3.h ]]; then cp /usr/include/xxh3.h "$work/include/"; fi

flags=(-std=c++20 -O2 -Wno-psabi -ffp-contract=off -fno-exceptions -fno-rtti -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I. "-I$work/include" -static)
base=(arena assert elementary hash nearest_name text_writer time_zone time_zone_name utf8)
sources=(agent/expression/*.cpp agent/model/value.cpp firmware-tests/support/expression_golden.cpp firmware-tests/golden/golden_main.cpp)
for name in "${base[@]}"; do sources+=("agent/base/$name.cpp"); done

compare() { # NAME COMPILER EMULATOR
  "$2" "${flags[@]}" "${sources[@]}" -o "$work/$1"
  "$3" "$work/$1" >"$work/$1.txt"
  diff "firmware-tests/unit/expression_golden.txt" "$work/$1.txt" >"$work/$1.diff" || {
    echo "$1: differs"
    head -20 "$work/$1.diff"
    return 1
  }
  echo "$1: $(wc -l <"$work/$1.txt") results are equal"
}

compare arm64 aarch64-linux-gnu-g++ qemu-aarch64-static
compare armhf arm-linux-gnueabihf-g++ qemu-arm-static
