#!/usr/bin/env bash
# on_arm.sh: runs suites that must come out alike on every architecture on arm64 and armhf, under qemu: a line each, exit code 0
# only if all are well. `./dev arm` installs what it needs; no foreign architecture is added to the host.
#
# A suite is a function NAME COMPILER EMULATOR below, listed in `suites`: it builds and runs what it tests for one architecture in
# "$work", prints its line, and fails if it is not well.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

suites=(expressions)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What expressions compute, compared with firmware-tests/unit/expression_golden.txt to the last bit.
# shellcheck disable=SC2317  # called by its name in "suites"
expressions() { # NAME COMPILER EMULATOR
  local -a base=(arena assert elementary hash nearest_name text_writer time_zone time_zone_name utf8)
  base=("${base[@]/%/.cpp}")
  local -a sources=(agent/expression/*.cpp agent/model/value.cpp firmware-tests/support/expression_golden.cpp
    firmware-tests/golden/golden_main.cpp)
  local -a flags=(-std=c++20 -O2 -Wno-psabi -ffp-contract=off -fno-exceptions -fno-rtti
    -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -I. "-I$work/include" -static)
  # The host's include folder would bring its own C library along.
  mkdir -p "$work/include"
  cp /usr/include/xxhash.h "$work/include/"
  if [[ -f /usr/include/xxh3.h ]]; then cp /usr/include/xxh3.h "$work/include/"; fi
  "$2" "${flags[@]}" "${sources[@]}" "${base[@]/#/agent/base/}" -o "$work/$1" || return 1
  "$3" "$work/$1" >"$work/$1.txt" || return 1
  if ! diff firmware-tests/unit/expression_golden.txt "$work/$1.txt" >"$work/$1.diff"; then
    echo "$1: expressions differ, $(grep -c '^>' "$work/$1.diff") results:"
    head -20 "$work/$1.diff"
    return 1
  fi
  echo "$1: expressions are equal, $(wc -l <"$work/$1.txt") results"
}

status=0
while read -r name compiler emulator; do
  for suite in "${suites[@]}"; do
    if ! "$suite" "$name" "$compiler" "$emulator"; then
      echo "$name: $suite failed" >&2
      status=1
    fi
  done
done <<'ARCHITECTURES'
arm64 aarch64-linux-gnu-g++ qemu-aarch64-static
armhf arm-linux-gnueabihf-g++ qemu-arm-static
ARCHITECTURES
exit "$status"
