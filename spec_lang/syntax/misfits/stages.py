"""Layers among the arguments of another, and filters before the window."""

import re

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.syntax.misfits.names import name_meant
from nnspec.spec_lang.syntax.misfits.walk import EQUALS, Call, Meaning, Walk, reads

_LARGEST_WINDOW = 15
"""A larger number is a number of filters."""


@reads("call", rank=1)
def filters_before_the_window(walk: Walk) -> Meaning | None:
    """`conv 32 3`, the order of Keras; `conv 16 3x3`; `conv 3 32`, a window and filters; `conv 3x3x8`, both in one."""
    call = walk.call
    free = {found.bare.kinds: found.name for found in call.free() if found.bare} if call is not None else {}
    size, count = free.get(("size", "int")), free.get(("count",))
    if call is None or size is None or count is None:
        return None
    text, after = walk.text(), walk.text(1)
    if walk.kind() == "SIZE" and text.count("x") == 2:
        window, _, filters = text.rpartition("x")
        call.filled.add(count)
        return Meaning(1, f"{window} x{filters}", f"{call.word} takes a window, then its {count}", fills=size)
    if (
        not text.isdigit()
        or walk.kind(1) not in ("NUMBER", "SIZE")
        or walk.kind(2) not in ("WORD", "END", "ARROW", "NL")
    ):
        return None
    if walk.kind(1) == "SIZE":
        window, filters, sure = after, text, True
    elif re.fullmatch("[0-9]{1,9}", after) and re.fullmatch("[0-9]{1,9}", text) and after != text:
        small, large = sorted((int(text), int(after)))
        window, filters, sure = f"{small}x{small}", str(large), False
        if small > _LARGEST_WINDOW:
            return None
    else:
        return None
    call.filled.add(count)
    order = f"{call.word} takes its window first, as 3x3, then its {count}, as x8"
    return Meaning(2, f"{window} x{filters}", order, sure=sure, fills=size)


@reads("call", rank=4)
def a_layer_without_an_arrow(walk: Walk) -> Meaning | None:
    """`conv 3x3 x8 relu maxpool 2`: a layer's name among the arguments of another."""
    call = walk.call
    if call is None or (call.statement and not (call.word == "input" and call.complete())):
        return None
    if not walk.is_stage() or walk.taken_by() or walk.text(1) in EQUALS or not call.complete():
        return None
    name = walk.text()
    activation = any(f.bare and name in f.choices for f in (call.fields or {}).values())
    return Meaning(
        1, f"-> {name}", f"an arrow is missing before {name}", f"write -> before {name}",
        sure=not activation, call=_begun(walk, name), state="call",
    )  # fmt: skip


@reads("call", rank=7)
def another_tools_layer_without_an_arrow(walk: Walk) -> Meaning | None:
    """`conv 3x3 x8 relu max_pool 2`: the same with the name of another tool."""
    call = walk.call
    if call is None or call.statement or not call.complete() or walk.kind() != "WORD" or walk.text(1) in EQUALS:
        return None
    found = name_meant(
        walk, 0, walk.words.layers, lambda word: foreign.meant(word, walk.words.layers, True), misspelled=False
    )
    if found is None or any(found.text in free.choices for free in call.free()):
        return None
    return Meaning(
        found.taken, f"-> {found.text}", f"an arrow is missing before {found.text}", f"write -> {found.text}",
        sure=False, call=_begun(walk, found.text), state="call",
    )  # fmt: skip


def _begun(walk: Walk, word: str) -> Call:
    return Call(word, False, None) if word in walk.blocks else Call.of(word, walk.words)
