"""Text to symbols and back. A symbol is the index of a character in a vocabulary."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import PADDING

BREAK = "\n"
"""The line break: the first input and the last target of each line."""


def vocabulary_of(text: str) -> tuple[str, ...]:
    """Return every character of a text once, in Unicode order."""
    return tuple(sorted(set(text)))


def encode_text(text: str, vocabulary: Sequence[str], place: Callable[[int], str]) -> NDArray[Any]:
    """Return the symbol of each character, (characters,) int16, or int32 for a larger vocabulary.

    Raises DataError for a character that the vocabulary lacks; `place` returns where the character of an index is, as
    "names.txt, line 3".
    """
    numbers = {character: number for number, character in enumerate(vocabulary)}
    dtype = np.int16 if len(vocabulary) < 2**15 else np.int32
    symbols = np.fromiter((numbers.get(character, PADDING) for character in text), dtype, len(text))
    unknown = np.flatnonzero(symbols == PADDING)
    if unknown.size:
        first = int(unknown[0])
        raise DataError(f"{place(first)} has {lacking(text[first], vocabulary)}")
    return symbols


def lacking(character: str, vocabulary: Sequence[str]) -> str:
    """Return the end of a message: the character that is missing, what the vocabulary has, and what to do."""
    return (
        f"{shown(character)}, which the vocabulary lacks; it has {listed(vocabulary)}: remove the character, or train "
        f"on a text that has it{_other_case(character, vocabulary)}"
    )


def decode_text(symbols: Sequence[int], vocabulary: Sequence[str]) -> str:
    """Return the text of symbols."""
    return "".join(vocabulary[symbol] for symbol in symbols)


def shown(character: str) -> str:
    """Return a character for a message: "ß" (U+00DF), or the code point alone if it is not visible."""
    code = f"U+{ord(character):04X}"
    return f'"{character}" ({code})' if character.isprintable() and not character.isspace() else code


def listed(vocabulary: Sequence[str]) -> str:
    """Return the visible characters of a vocabulary, at most 40 of them."""
    visible = [c for c in vocabulary if c.isprintable() and not c.isspace()]
    return " ".join(visible[:40]) + (" …" if len(visible) > 40 else "")


def _other_case(character: str, vocabulary: Sequence[str]) -> str:
    for changed, word in ((character.lower(), "small"), (character.upper(), "capital")):
        if changed != character and changed in vocabulary:
            return f"; it has the {word} letter"
    return ""
