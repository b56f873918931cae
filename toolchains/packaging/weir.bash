# bash completion for weir. Commands, their words and their options are what the program's own --help says.

_weir_commands() { weir --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'; }

# Those of the usage lines, which an empty line ends, and those that a line of the explanations begins with.
_weir_options() { # COMMAND
  weir "$1" --help 2>/dev/null | awk '
    /^$/ { explained = 1 }
    explained && !/^( *|[A-Z]+: )--/ { next }
    explained { sub(/^ */, ""); sub(/   .*/, "") }
    { while (match($0, /--[a-z][a-z-]*/)) { print substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH) } }
    END { print "--help" }' | sort -u
}

# What stands behind the command's name: "weir state list ...", "weir checkpoint [list] ...", "weir x list | show ...".
_weir_words() { # COMMAND
  weir "$1" --help 2>/dev/null | sed -nE "s/^(usage:)? +weir $1 +\[?([a-z][a-z-]*( ?\| ?[a-z-]+)*)\]?( .*)?$/\2/p" |
    tr -s '| ' '\n' | grep -vx options | sort -u
}

_weir() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-}
  if [[ $COMP_CWORD -le 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_weir_commands) --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_weir_options "$command")" -- "$current")
  else
    # Files and folders; readline appends the slash.
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    if [[ $COMP_CWORD == 2 ]]; then
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_weir_words "$command")" -- "$current")
    fi
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _weir weir
