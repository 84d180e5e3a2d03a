# Made by xmsg-idl from the declarations of tiny 1.2.
#
# Completion of the scripts of plugins, which have the names of the calls.
# For bash: source this file.

_tiny() {
  local cur=${COMP_WORDS[COMP_CWORD]} maps='' i n=0
  local -a values=()
  case ${COMP_WORDS[0]##*/} in
  Box.look) maps=' --limits' values[1]='Plain' ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    -j | --json) ;;
    --*) i=$((i + 2)) ;;
    *) n=$((n + 1)) ;;
    esac
  done
  COMPREPLY=()
  if [[ $i -gt COMP_CWORD ]]; then
    return
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "-h --help -j --json$maps" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "${values[n]}" -- "$cur"))
  fi
}
complete -o default -F _tiny Box.put Box.look
