#!/usr/bin/env bash
# release.sh --dry-run [amd64 | arm64 | armhf]...: all that a release does but to publish: the tree is clean, CHANGELOG.md knows
# the version, every package is built twice from the last commit, in two folders, the second time without a compiler's cache; both
# times it must be the same bytes. The packages are checked, and with their sums they are left in dist/. It ends with what
# remains to be done by hand. Exit code 1 if the release is not ready.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

if [[ "${1:-}" != --dry-run ]]; then
  echo "release.sh: only --dry-run: it says at its end what a real release does" >&2
  exit 64
fi
shift
architectures=("$@")
[[ $# -gt 0 ]] || architectures=(amd64 arm64 armhf)

fail() {
  echo "release: $*" >&2
  exit 1
}

version=$(toolchains/version.sh)
[[ -z "$(git status --porcelain)" ]] || fail "the tree is not clean: a release is made of a commit"
section=$(grep -m 1 '^## ' CHANGELOG.md)
[[ "$section" == "## $version ("*")" ]] || fail "CHANGELOG.md begins with \"$section\", the version is $version"
if git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null; then fail "v$version was released already"; fi
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
echo "release: $version of $(git log -1 --format=%h), $(date --utc --iso-8601=seconds --date="@$SOURCE_DATE_EPOCH")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The folders' names are of different lengths: a path that gets into a program would show.
build_in() { # FOLDER [NAME=VALUE]...
  mkdir -p "$1/build/sysroot"
  git archive "$commit" | tar --extract --directory="$1"
  local architecture
  for architecture in "${architectures[@]}"; do
    if [[ -d "build/sysroot/$architecture" ]]; then cp --archive "build/sysroot/$architecture" "$1/build/sysroot/"; fi
  done
  env "${@:2}" "$1/toolchains/package.sh" "${architectures[@]}"
}
build_in "$work/one"
build_in "$work/another-folder/of-another-length" CCACHE_DISABLE=1

different=0
for file in "$work"/one/dist/*; do
  if ! cmp "$file" "$work/another-folder/of-another-length/dist/${file##*/}"; then different=1; fi
done
[[ "$different" == 0 ]] || fail "the two builds differ"
echo "release: both builds are equal, byte for byte"

for architecture in "${architectures[@]}"; do
  sysroot=$work/one/build/sysroot/$architecture
  if [[ ! -d "$sysroot" ]]; then sysroot=; fi
  "$work/one/firmware-tests/packaging/contents" "$architecture" "$sysroot"
done

mkdir -p dist
cp "$work"/one/dist/* dist/
(cd "$work/one/dist" && sha256sum -- *) | tee dist/SHA256SUMS

echo "release: everything lies in dist/. What remains, by hand:"
if [[ "$section" == *"(not released yet)" ]]; then
  echo "  - write today's date into the head of CHANGELOG.md, commit, and run this again: the date is part of the packages"
fi
cat <<TEXT
  - ./dev test, ./dev check --sanitizers, ./dev arm, ./dev package --test
  - git tag --sign --message "weir $version" v$version && git push origin v$version
  - gpg --detach-sign --armor dist/SHA256SUMS, and publish dist/ with it
  - the next version into project() of CMakeLists.txt, and its section "(not released yet)" into CHANGELOG.md
TEXT
