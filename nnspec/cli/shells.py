"""Completion in Bash, Zsh and Fish: click's, with values after an equals sign.

Click gives Bash words that it has split at "=", so that `--set optimizer.lr=<TAB>` completes nothing; Zsh and Fish
replace `--variant=` together with its value; and each adds a blank after `--set optimizer.lr=`.
"""

import os

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ $value == *= ]] && compopt -o nospace
                COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" COMP_WORD="$2" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local type value about
    local -a found plain told keys
    found=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete ${words[1]} 2>/dev/null)}")
    [[ $PREFIX == --*=* ]] && compset -P '*='
    for type value about in $found; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files ;;
            plain)
                if [[ $value == *= ]]; then
                    keys+=("$value")
                elif [[ $about == "_" ]]; then
                    plain+=("$value")
                else
                    told+=("$value:$about")
                fi ;;
        esac
    done
    (( $#told )) && _describe -V values told
    (( $#keys )) && compadd -S '' -V keys -a keys
    (( $#plain )) && compadd -V plain -a plain
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Bash(BashComplete):
    """Bash. The line is split here, and what precedes the last "=" is not repeated, since Bash keeps it."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one."""
        line = os.environ["COMP_LINE"][: int(os.environ["COMP_POINT"])]
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        word = os.environ.get("COMP_WORD", "")
        self.kept = incomplete.removesuffix(word)
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return the type and the part of a value that Bash does not have yet."""
        return f"{item.type},{item.value.removeprefix(self.kept)}"


class Zsh(ZshComplete):
    """Zsh, with `--name=` kept before a value and no blank after a key."""

    source_template = _ZSH


class Fish(FishComplete):
    """Fish, with `--name=` repeated before a value, since Fish replaces it too."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one."""
        words, incomplete = super().get_completion_args()
        option, equals, _ = incomplete.partition("=")
        self.kept = option + equals if option.startswith("--") and equals else ""
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return a value as Fish inserts it."""
        item.value = f"{self.kept}{item.value}"
        return super().format_completion(item)


def register() -> None:
    """Let click answer these shells with the classes of this module."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)
