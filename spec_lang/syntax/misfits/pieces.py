"""A text cut loosely, as any language would: words, numbers, quoted texts and signs, and where they are."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_FORMULA = r"\$\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)"
_PATTERNS = {
    "NL": r"\n",
    "BLANK": r"[^\S \t\f\n]|[\u200b-\u200d\u2060\ufeff]",
    "COMMENT": r"#[^\n]*|//[^\n]*|/\*.*?\*/|(?<!\S)--+(?= )[^\n]*",
    "TEXT": r'"[^"\n]*"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|\'[^\'\n]*\'|‘[^’\n]*’|`[^`\n]*`',
    "ARROW": r"->",
    "OTHER_ARROW": r"[-=–—~]+[>›]|[-–—] >|[|]>|>>+|[→⇒⟶⟹➔➜▶►»↦]|>|::|\\",
    "VARIABLE": rf"(?:[\d.]+[x/])?x?{_FORMULA}(?:[x/](?:{_FORMULA}|[\d.]+))*"
    r"|x?\$[A-Za-z_]\w*|\$\{\w+\}|\{\{? ?\w+ ?\}?\}"
    r"|x?\$?\{[\w\s$.()+\-*/%]+\}",
    "SIZE": r"\d+(?:[xX×*]\d+)+(?![\w.])",
    "COUNT": r"[xX×*]\d+(?![\w.])",
    "RATIO": r"\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?)+(?![\w.])",
    "NUMBER": r"(?:(?<![\w)\]$.])[-+−])?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+−]?\d+)?",
    "WORD": r"[^\W\d]\w*(?:\.\w+)*",
    "SIGN": r"[:=!]=|:=|\*\*|\S",
}
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.DOTALL)


class Piece(NamedTuple):
    """A part of a text, the characters `start` to `end` (exclusive) of it."""

    kind: str
    text: str
    start: int
    end: int


END = Piece("END", "", -1, -1)
"""What follows the last piece."""

NUMERIC = ("NUMBER", "SIZE", "RATIO", "COUNT")


def pieces_of(text: str, start: int, end: int) -> list[Piece]:
    """Return the pieces of a part of a text, without blanks and comments of the language."""
    found = _ANY.finditer(text, start, end)
    pieces = [Piece(str(match.lastgroup), match.group(), match.start(), match.end()) for match in found]
    return [piece for piece in pieces if not (piece.kind == "COMMENT" and piece.text.startswith("#"))]


def closing(pieces: Sequence[Piece], opening: int) -> int | None:
    """Return the index of the bracket that closes the one at an index, None if none does."""
    depth = 0
    for index in range(opening, len(pieces)):
        depth += (pieces[index].text in "([{") - (pieces[index].text in ")]}")
        if depth == 0:
            return index
    return None


def unquoted(text: str) -> str:
    """Return the inside of a quoted text."""
    return text[1:-1]
