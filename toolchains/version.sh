#!/usr/bin/env bash
# version.sh: the version, from the one place that states it: project() in CMakeLists.txt.
set -euo pipefail
sed -n 's/^project(weir VERSION \([0-9.]*\).*/\1/p' "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../CMakeLists.txt"
