#!/usr/bin/env bash
# check_includes.sh FOLDER...: which folder may include which, and which may name which library. Arrows run down only; a
# violation is printed as file:line and fails.
set -euo pipefail

# shellcheck disable=SC2016  # the dollars below are awk's
find "$@" \( -name '*.h' -o -name '*.cpp' \) -print0 | sort -z | xargs -0 awk '
BEGIN {
  # Our own folders: what each may include besides itself. "all" stands for everything.
  allowed["agent/base"] = ""
  allowed["agent/model"] = "agent/base"
  allowed["agent/expression"] = "agent/base agent/model"
  allowed["agent/config"] = "agent/base agent/model"
  allowed["agent/status"] = "agent/base agent/model"
  allowed["storage"] = "agent/base agent/model"
  allowed["connectors"] = "agent/base agent/model"
  allowed["agent/operators"] = "agent/base agent/model agent/expression"
  allowed["agent/api"] = "agent/base agent/model agent/expression agent/config agent/operators"
  allowed["agent/runtime"] = "agent/base agent/model agent/operators"
  allowed["agent/app"] = "all"
  allowed["firmware-tests"] = "all"
  allowed["examples"] = "all"
  # Libraries: the folders of the agent that may name each. Tests and examples may name any.
  library["mosquitto.h"] = library["mqtt_protocol.h"] = "connectors/mqtt"
  library["sqlite3.h"] = "storage"
  library["simdjson.h"] = "connectors/codecs"
  library["pb.h"] = library["pb_encode.h"] = library["pb_decode.h"] = library["pb_common.h"] = "connectors"
  library["toml++/toml.h"] = library["toml.hpp"] = "agent/config"
  library["xxhash.h"] = "agent/base"
}
function folder_of(path,    parts) {
  split(path, parts, "/")
  return parts[1] == "agent" ? parts[1] "/" parts[2] : parts[1]
}
function complain(text) {
  printf "%s:%d: %s\n", FILENAME, FNR, text
  bad = 1
}
FNR == 1 {
  here = folder_of(FILENAME)
  if (!(here in allowed)) complain(here " is not in the table of toolchains/check_includes.sh")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
  split($0, quoted, "\"")
  there = folder_of(quoted[2])
  # An example that is also built outside of the tree names the files beside it.
  if (here == "examples" && quoted[2] !~ /\//) next
  if (quoted[2] ~ /\.pb\.h$/) {
    if (here != "connectors" && allowed[here] != "all") complain("generated nanopb code is included outside connectors/")
  } else if (!(there in allowed)) {
    complain("\"" quoted[2] "\" does not start at the top of the tree")
  } else if (there != here && allowed[here] != "all" && index(" " allowed[here] " ", " " there " ") == 0) {
    complain(here " may not include " there)
  }
}
/^[ \t]*#[ \t]*include[ \t]*</ {
  split($0, angled, /[<>]/)
  if (angled[2] in library && here != "firmware-tests" && here != "examples" && index(FILENAME, library[angled[2]] "/") != 1)
    complain("<" angled[2] "> may be included in " library[angled[2]] " only")
}
END { exit bad }
'
