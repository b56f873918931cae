#compdef weir
# zsh completion for weir. Commands and options are what the program's own --help says.

local -a commands options
if (( CURRENT == 2 )); then
  commands=(${(f)"$(weir --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *\(.*\)/\1:\2/p')"})
  _describe command commands
elif [[ $words[CURRENT] == -* ]]; then
  options=(${(fu)"$(weir $words[2] --help 2>/dev/null | grep -oE -- '(^|[[ (])--[a-z][a-z-]*' | grep -oE -- '--[a-z-]+')"} --help)
  compadd -- $options
else
  _files
fi
