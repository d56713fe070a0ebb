"""The language as a TextMate grammar, for VS Code and other editors that read such grammars.

`python -m nnspec.spec_lang.editor.textmate [FILE]` writes it, by default into the folder of the VS Code extension.
It is generated from the terminals of the grammar and from the vocabulary.
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from nnspec.spec_lang.editor.colour import NUMBERS, Colour
from nnspec.spec_lang.syntax.automaton import tables
from nnspec.spec_lang.syntax.grammar import OUTSIDE, VALUES, lexicon, merge_signs
from nnspec.spec_lang.vocabulary.fields import TRUTH
from nnspec.spec_lang.vocabulary.registry import layers, statements

HOME = Path("editors/vscode/syntaxes/nnspec.tmLanguage.json")

SCOPES = {
    Colour.COMMENT: "comment.line.number-sign",
    Colour.KEYWORD: "keyword.control",
    Colour.STATEMENT: "keyword.other.statement",
    Colour.LAYER: "support.function.layer",
    Colour.NAME: "entity.name.function",
    Colour.OPTION: "variable.parameter",
    Colour.CHOICE: "support.constant",
    Colour.TRUTH: "constant.language",
    Colour.NUMBER: "constant.numeric",
    Colour.STRING: "string.quoted.double",
    Colour.VARIABLE: "variable.other",
    Colour.SIGN: "keyword.operator",
    Colour.ERROR: "invalid.illegal",
}
"""The TextMate scope of each colour."""

STAGE = (Colour.LAYER, Colour.NAME)  # a layer, or a block of the spec

NAME_PATTERN = r"[A-Za-z_]\w*"


def textmate() -> dict[str, object]:
    """Return the grammar; of the patterns that match earliest, the first in the list applies."""
    reserved, kinds = lexicon().reserved, {kind: word for word, kind in lexicon().reserved.items()}
    numbers = [_terminal(name) for name, kind in VALUES.items() if kind in NUMBERS and name != "COUNT"]
    layer, other = (
        rf"({_any([*layers(), 'skip'])})\b(?!\s*[=:])",
        rf"(?!(?:{_any(reserved)})\b)({NAME_PATTERN})\b(?!\s*[=:])",
    )
    stage = rf"(?:{layer}|{other})"
    signs = re.sub(r"[\]^\\-]", r"\\\g<0>", "".join(merge_signs().values()))
    named = _any(kinds[kind] for kind in ("LET", "BLOCK", "VARIANT"))
    patterns = [
        _rule(_terminal("COMMENT"), Colour.COMMENT),
        _rule(_terminal("STRING"), Colour.STRING),
        _rule(OUTSIDE["UNCLOSED"], Colour.ERROR),
        _rule(
            rf"\b({kinds['BLOCK']})\s+({NAME_PATTERN})\s*(\()([^()=]*)(\))\s*(=)(?:\s*{stage})?",
            None,
            *(Colour.KEYWORD, Colour.NAME, Colour.SIGN, Colour.VARIABLE, Colour.SIGN, Colour.SIGN, *STAGE),
        ),
        _rule(rf"\b({named})\s+({NAME_PATTERN})", None, Colour.KEYWORD, Colour.NAME),
        _rule(rf"\b(?:{_any(reserved)})\b(?!\s*=)", Colour.KEYWORD),
        _rule(rf"^\s*({_any(statements())})\b(?!\s*[=:])", None, Colour.STATEMENT),
        _rule(rf"^\s*{stage}", None, *STAGE),
        _rule(rf"({NAME_PATTERN})\s*(:)(?:\s*{stage})?", None, Colour.NAME, Colour.SIGN, *STAGE),
        _rule(rf"(->|[({signs}])\s*{stage}", None, Colour.SIGN, *STAGE),
        _rule(rf"({NAME_PATTERN}(?:\.{NAME_PATTERN})*)\s*(=)", None, Colour.OPTION, Colour.SIGN),
        _rule(_terminal("FORMULA"), Colour.VARIABLE),
        _rule(rf"{_terminal('VARIABLE')}|(?<!\w)x\${NAME_PATTERN}", Colour.VARIABLE),
        _rule(rf"(?<![\w.])(?:{_terminal('COUNT')}|{'|'.join(numbers)})", Colour.NUMBER),
        _rule(
            r"(?<![\w.])[+-]?\d+(\.\d+)?([eE][+-]?\d+)?(?=\s*\.\.)|(?<=\.\.)[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\b",
            Colour.NUMBER,
        ),
        _rule(rf"\b(?:{_any(TRUTH)})\b", Colour.TRUTH),
        _rule(r"[<>]=?|%|\.\.|//?", Colour.SIGN),
        _rule(NAME_PATTERN, Colour.CHOICE),
        _rule(rf"->|[{signs}=,(){{}}-]", Colour.SIGN),
    ]
    return {
        "name": "nnspec",
        "scopeName": "source.nnspec",
        "fileTypes": ["nnspec"],
        "patterns": patterns,
    }


def _terminal(name: str) -> str:
    return tables().terminals[name]


def _any(names: Iterable[str]) -> str:
    """Return a pattern for one of these names, the longest first, so that no name hides a longer one."""
    return "|".join(sorted((re.escape(name) for name in dict.fromkeys(names)), key=lambda name: (-len(name), name)))


def _rule(pattern: str, whole: Colour | None, *groups: Colour) -> dict[str, object]:
    captures = {str(number): {"name": _scope(colour)} for number, colour in enumerate(groups, 1)}
    named = {"name": _scope(whole)} if whole is not None else {"captures": captures}
    return {"match": pattern, **named}


def _scope(colour: Colour) -> str:
    return f"{SCOPES[colour]}.nnspec"


def textmate_json() -> str:
    """Return the contents of the file."""
    return json.dumps(textmate(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else HOME).write_text(textmate_json(), encoding="utf-8")
