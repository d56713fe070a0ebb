"""Text ↔ symbols: the number of each character, in the order of a vocabulary."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import PADDING

BREAK = "\n"
"""The line break: it begins and ends a line."""


def vocabulary_of(text: str) -> tuple[str, ...]:
    """Every character of a text once, in the order of Unicode."""
    return tuple(sorted(set(text)))


def encode_text(text: str, vocabulary: Sequence[str], place: Callable[[int], str]) -> NDArray[Any]:
    """The number of each character, (characters,) int16, or int32 for vocabularies beyond its range.

    Raises DataError for a character that the vocabulary lacks; `place` tells where one stands, as "names.txt, line 3".
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
    """A character that a vocabulary lacks, what the vocabulary has, and what to do."""
    return (
        f"{shown(character)}, which the vocabulary lacks; it has {listed(vocabulary)}: leave it out, or train on a "
        f"text that has it{_other_case(character, vocabulary)}"
    )


def decode_text(symbols: Sequence[int], vocabulary: Sequence[str]) -> str:
    """The text that symbols stand for."""
    return "".join(vocabulary[symbol] for symbol in symbols)


def shown(character: str) -> str:
    """A character as a person reads it: "ß" (U+00DF); what cannot be seen by its number alone."""
    code = f"U+{ord(character):04X}"
    return f'"{character}" ({code})' if character.isprintable() and not character.isspace() else code


def listed(vocabulary: Sequence[str]) -> str:
    """The characters of a vocabulary that can be seen, at most forty of them."""
    visible = [c for c in vocabulary if c.isprintable() and not c.isspace()]
    return " ".join(visible[:40]) + (" …" if len(visible) > 40 else "")


def _other_case(character: str, vocabulary: Sequence[str]) -> str:
    for changed, word in ((character.lower(), "small"), (character.upper(), "capital")):
        if changed != character and changed in vocabulary:
            return f"; it has the {word} letter"
    return ""
