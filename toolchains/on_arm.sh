#!/usr/bin/env bash
# on_arm.sh [build | golden | unit | gateway]... [arm64 | armhf]...: builds weir for ARM gateways and tries it under qemu. Without
# words it does all four for both:
#   build     the agent, with Debian's cross compiler and a sysroot of Debian's packages
#   golden    what expressions compute, to the last bit, and what every stored format holds and yields, must be what it is here
#   gateway   the acceptance tests of this machine run with the agent of that one: a real broker, kill -9, recovery, savepoints
#             that are made here and there; and ten kills of torture
#   unit      all unit tests, built and run for that machine; ten minutes each
# A line for each, exit code 0 only if all is well. `./dev arm` installs what it needs and then calls this; no foreign
# architecture is added to the machine.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

declare -A emulators=([arm64]=qemu-aarch64-static [armhf]=qemu-arm-static)
steps=()
architectures=()
for word in "$@"; do
  case "$word" in
    build | golden | gateway | unit) steps+=("$word") ;;
    arm64 | armhf) architectures+=("$word") ;;
    *)
      echo "on_arm.sh: unknown word $word; there are: build, golden, gateway, unit, arm64, armhf" >&2
      exit 64
      ;;
  esac
done
[[ ${#steps[@]} -gt 0 ]] || steps=(build golden unit gateway)
[[ ${#architectures[@]} -gt 0 ]] || architectures=(arm64 armhf)

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi

build() { # ARCHITECTURE
  toolchains/make_sysroot.sh "$1" "build/sysroot/$1" || return 1
  cmake --preset "$1" "${launcher[@]}" >/dev/null || return 1
  cmake --build "build/$1" --target weir -- --quiet || return 1
  echo "$1: built, $(stat -c %s "build/$1/weir") bytes with symbols"
}

emulated() { # ARCHITECTURE PROGRAM [WORD...]
  "${emulators[$1]}" -L "$PWD/build/sysroot/$1" "build/$1/$2" "${@:3}"
}

golden() {
  cmake --build "build/$1" --target weir-golden weir-state-golden -- --quiet || return 1
  emulated "$1" weir-golden >"build/$1/expressions.txt" || return 1
  if ! diff firmware-tests/unit/expression_golden.txt "build/$1/expressions.txt" >"build/$1/expressions.diff"; then
    echo "$1: expressions differ, $(grep -c '^>' "build/$1/expressions.diff") results:"
    head -20 "build/$1/expressions.diff"
    return 1
  fi
  echo "$1: expressions are equal, $(wc -l <"build/$1/expressions.txt") results"
  local format
  for format in firmware-tests/golden/state-format-*; do
    emulated "$1" weir-state-golden --check "$format" || return 1
    echo "$1: ${format##*/} is equal"
  done
}

unit() {
  cmake --build "build/$1" --target unit -- --quiet || return 1
  WEIR_TEST_PATIENCE=4 ctest --test-dir "build/$1" -L unit -j "$(nproc)" >"build/$1/unit.log" 2>&1 || {
    sed -n '/The following tests FAILED/,$p' "build/$1/unit.log"
    echo "$1: see build/$1/unit.log"
    return 1
  }
  echo "$1: unit tests, $(sed -n 's/^100% tests passed.* out of /all of /p' "build/$1/unit.log") groups"
}

gateway() {
  local agent="$PWD/build/$1/weir-emulated"
  printf '#!/bin/sh\nexec %s -L %s %s "$@"\n' "${emulators[$1]}" "$PWD/build/sysroot/$1" "$PWD/build/$1/weir" >"$agent"
  chmod +x "$agent"
  cmake --preset release "${launcher[@]}" >/dev/null || return 1
  cmake --build build/release --target acceptance weir-torture -- --quiet || return 1
  # What measures this machine's memory, or an agent of its own making, is not for an emulated one.
  WEIR_TEST_PATIENCE=4 WEIR_TEST_AGENT="$agent" ctest --test-dir build/release -L acceptance -E 'Memory|FailingSync|KeyedAverage|Install|RiotBench' \
    --timeout 600 >"build/$1/gateway.log" 2>&1 || {
    sed -n '/The following tests FAILED/,$p' "build/$1/gateway.log"
    echo "$1: see build/$1/gateway.log"
    return 1
  }
  echo "$1: acceptance tests, $(sed -n 's/^100% tests passed.* out of /all of /p' "build/$1/gateway.log") groups"
  build/release/weir-torture --agent "$agent" --kills 10 --rate 400 | tail -1 | sed "s/^/$1: torture, /"
}

run_step() { # STEP ARCHITECTURE
  case "$1" in
    build) build "$2" ;;
    golden) golden "$2" ;;
    unit) unit "$2" ;;
    gateway) gateway "$2" ;;
  esac
}

status=0
for architecture in "${architectures[@]}"; do
  for step in "${steps[@]}"; do
    if ! run_step "$step" "$architecture"; then
      echo "$architecture: $step failed" >&2
      status=1
      break
    fi
  done
done
exit "$status"
