"""Completions with places to fill in, as the Language Server Protocol writes them: `${1:text}`, `$0` at the end."""

from nnspec.spec_lang.vocabulary.fields import fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word

KEYWORDS = {
    "LET": "let ${1:width} = ${2:16}",
    "BLOCK": "block ${1:name}(${2:width}) = ${3:dense \\$width relu}",
    "REPEAT": "repeat ${1:2} (${0})",
    "VARIANT": "variant ${1:small} {\n  ${0}\n}",
    "SWEEP": "sweep ${1:optimizer.lr} = ${2:0.01, 0.001}",
    "EXPECT": "expect ${1:accuracy} >= ${2:95 %}",
    "INCLUDE": 'include "${1:base.nnspec}"',
}
"""The snippet of each keyword, by the type of its token."""


def word_snippet(cls: type[Word]) -> str:
    """Return a word with a place for each value and option that it needs; "" where it needs none."""
    needed = [field for field in fields_of(cls).values() if field.required]
    if not needed or cls.word in SECTIONS:
        return ""
    places = []
    for number, field in enumerate(needed, 1):
        if field.bare is not None:
            places.append(f"${{{number}:{_escaped(field.bare.example)}}}")
        else:
            places.append(f"{field.name}=${{{number}}}")
    return " ".join([cls.word, *places])


def block_snippet(name: str, parameters: tuple[str, ...]) -> str:
    """Return a block's name with a place for each parameter; "" where it has none."""
    places = [f"${{{number}:{_escaped(parameter)}}}" for number, parameter in enumerate(parameters, 1)]
    return " ".join([name, *places]) if places else ""


def _escaped(text: str) -> str:
    """Return a text as it is written inside a place."""
    return "".join(f"\\{character}" if character in "$}\\" else character for character in text)
