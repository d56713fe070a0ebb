"""Sizes as people write them: 3 x 3, 3*3, (3, 3), [3,3], 28 28 1, 28x28 x1, 3 by 3."""

import re

from nnspec.spec_lang.report.known_words import KnownField
from nnspec.spec_lang.syntax.misfits.pieces import closing
from nnspec.spec_lang.syntax.misfits.walk import Walk, Written, reads_values

_BETWEEN = ("x", "X", "×", "*", "by", "×")
_WRITTEN = "a size is written with an x between its numbers, without blanks"
_BATCH = ("None", "none", "null", "?", "-1", "N", "batch", "batch_size", "B")


def _wants_a_size(wanted: KnownField) -> bool:
    kinds = wanted.bare.kinds if wanted.bare else wanted.kinds
    return "size" in kinds


def _numbers(walk: Walk, ahead: int) -> list[str]:
    """Return the numbers of a size, a count or a number."""
    text = walk.text(ahead)
    if walk.kind(ahead) in ("SIZE", "COUNT") or text.isdigit():
        return [number for number in re.split("[xX×*]", text) if number]
    return []


@reads_values(rank=2)
def a_size_in_brackets(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """(3, 3), [28, 28, 1], (None, 28, 28, 1)."""
    if not _wants_a_size(wanted) or walk.text(ahead) not in ("(", "["):
        return None
    end = closing(walk.pieces, walk.position + ahead)
    if end is None:
        return None
    inside = walk.pieces[walk.position + ahead + 1 : end]
    sides = wanted.name == "cells"  # ((top, bottom), (left, right))
    texts = [piece.text for piece in inside if piece.text != "," and not (sides and piece.text in "()[]")]
    texts = texts[1:] if texts and texts[0] in _BATCH else texts
    if not texts or not all(text.isdigit() for text in texts):
        return None
    return Written(end - walk.position - ahead + 1, "x".join(texts), _WRITTEN)


@reads_values(rank=3)
def a_size_in_parts(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """3 x 3, 3*3, 3×3, 3 by 3, 3, 3, and 28 28 1 or 28x28 x1 where nothing else can follow."""
    skipped = 0
    if walk.text(ahead) in _BATCH and walk.text(ahead + 1) in (",", "x"):
        skipped = 2
    numbers = _numbers(walk, ahead + skipped)
    if not _wants_a_size(wanted) or not numbers or walk.kind(ahead + skipped) == "COUNT":
        return None
    taken = 1 + skipped
    counts = any(found.bare and found.bare.kinds == ("count",) for found in walk.call.free()) if walk.call else False
    while True:
        sign, more = walk.text(ahead + taken), _numbers(walk, ahead + taken + 1)
        if sign in (*_BETWEEN, ",") and more and walk.kind(ahead + taken + 1) != "COUNT":
            if counts and sign in ("x", "X") and len(numbers) > 1:
                break  # 3x3 x 8: the last number is a count
            if (
                walk.touches(ahead + taken)
                and sign == ","
                and len(more[0]) == 3
                and not counts
                and len(numbers) == 1
                and more == ["000"]
            ):
                break
            numbers, taken = [*numbers, *more], taken + 2
        elif (glued := re.fullmatch(r"[xX](\d+)", sign)) and not counts and wanted.name == "shape":
            numbers, taken = [*numbers, glued[1]], taken + 1
        elif (
            (plain := _numbers(walk, ahead + taken))
            and not (counts and len(numbers) > 1)
            and walk.kind(ahead + taken) == "NUMBER"
        ):
            if (
                counts
                and walk.kind(ahead + taken + 1) not in ("COUNT", "WORD", "NUMBER")
                and walk.text(ahead + taken + 1) not in ("x", "X")
            ):
                break
            if counts and plain != numbers:
                break  # 16 3: rather filters and a window
            numbers, taken = [*numbers, *plain], taken + 1
        else:
            break
    text = "x".join(numbers)
    return (
        Written(taken, text, _WRITTEN, sure=counts or wanted.name == "shape" or len(set(numbers)) == 1)
        if text != walk.text(ahead)
        else None
    )
