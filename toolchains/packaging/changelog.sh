#!/usr/bin/env bash
# changelog.sh MAINTAINER EPOCH <CHANGELOG.md: the same in the form of a Debian changelog. A section is "## VERSION (DATE)"; one
# that has no date yet gets EPOCH, in seconds since 1970.
set -euo pipefail

awk -v maintainer="$1" -v now="$(date --utc --rfc-email --date="@$2")" '
function plain(text) {
  gsub(/\*\*/, "", text)
  while (match(text, /\[[^]]*\]\([^)]*\)/)) {
    label = substr(text, RSTART + 1)
    sub(/\].*/, "", label)
    text = substr(text, 1, RSTART - 1) label substr(text, RSTART + RLENGTH)
  }
  gsub(/`/, "", text)
  return text
}
function print_item(    count, words, line, i) {
  if (item == "") return
  count = split(plain(item), words, " ")
  line = "  *"
  for (i = 1; i <= count; ++i) {
    if (length(line) + 1 + length(words[i]) > 78) {
      print line
      line = "   "
    }
    line = line " " words[i]
  }
  print line
  item = ""
}
function end_section() {
  print_item()
  if (version != "") printf "\n -- %s  %s\n", maintainer, date
}
/^## / {
  end_section()
  if (version != "") print ""
  version = $2
  day = $3
  gsub(/[()]/, "", day)
  date = now
  if (day ~ /^[0-9]+-[0-9]+-[0-9]+$/) {
    command = "date --utc --rfc-email --date=" day
    command | getline date
    close(command)
  }
  printf "weir (%s) bookworm; urgency=medium\n\n", version
  next
}
version == "" { next }
/^- / {
  print_item()
  item = substr($0, 3)
  next
}
/^ / && item != "" { item = item " " $0; next }
/^$/ { print_item(); next }
{ item = item == "" ? $0 : item " " $0 }
END { end_section() }
'
