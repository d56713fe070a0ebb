"""Calls of programs: `Conv2D(32, (3, 3), activation='relu')`, `nn.Linear(784, 10)`, `optimizer = Adam(lr=0.1)`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.known_words import Fields, KnownField, KnownWords
from nnspec.spec_lang.syntax.misfits.pieces import Piece, closing
from nnspec.spec_lang.syntax.misfits.walk import Call, Edit, Meaning, Walk, reads, value_for

_KERAS_CONV, _TORCH_CONV = "filters window stride pad", "- filters window stride pad dilation groups bias"
_POOL = "window stride pad"

POSITIONS = {
    "Conv1D": _KERAS_CONV, "Conv2D": _KERAS_CONV, "Convolution2D": _KERAS_CONV, "Conv1d": _TORCH_CONV,
    "Conv2d": _TORCH_CONV, "Dense": "units activation", "Linear": "- units bias", "Dropout": "probability",
    "MaxPool2d": _POOL, "MaxPool1d": _POOL, "MaxPooling2D": _POOL, "MaxPooling1D": _POOL, "MaxPool2D": _POOL,
    "AvgPool2d": _POOL, "AveragePooling2D": _POOL, "AvgPool2D": _POOL, "Embedding": "- units",
    "BatchNorm2d": "-", "BatchNorm1d": "-", "LayerNorm": "-", "GroupNorm": "groups -", "InstanceNorm2d": "-",
    "Conv2DTranspose": _KERAS_CONV, "Conv1DTranspose": _KERAS_CONV, "SeparableConv2D": _KERAS_CONV,
    "SeparableConv1D": _KERAS_CONV, "DepthwiseConv2D": "window stride pad multiplier",
    "ConvTranspose2d": "- filters window stride pad output_pad groups bias dilation",
    "ConvTranspose1d": "- filters window stride pad output_pad groups bias dilation",
    "UpSampling2D": "factor", "UpSampling1D": "factor", "ZeroPadding2D": "cells", "ZeroPad2d": "cells",
    "ReflectionPad2d": "cells", "ReplicationPad2d": "cells",
    "UpsamplingNearest2d": "- factor", "UpsamplingBilinear2d": "- factor",
    "Cropping2D": "cells", "GroupNormalization": "groups",
    "Adam": "lr", "AdamW": "lr", "SGD": "lr beta", "RMSprop": "lr", "LeakyReLU": "slope", "ELU": "alpha",
    "conv": "window filters", "dense": "units activation", "dropout": "probability", "maxpool": _POOL, "avgpool": _POOL,
}  # fmt: skip
"""The fields that the values without a name fill in other tools, in their order; - is one that is not needed here."""

_CONVOLUTIONS = ("conv", "transposed", "depthwise", "separable")
"""Layers whose window of one size would be over time here, and is a square in other tools."""

_MEANT_TOO = {
    "ReflectionPad2d": {"mode": "reflect"}, "ReplicationPad2d": {"mode": "edge"},
    "UpsamplingBilinear2d": {"mode": "bilinear", "align_corners": "yes"},
}  # fmt: skip
"""Options that the name of a layer says in other tools."""

_NOTHING = ("None", "none", "null", "self")
_ALONE = ("softmax", "relu", "flatten", "sigmoid", "tanh")
"""Words whose options of other tools say nothing more, such as the axis of a softmax."""

_NORMS = ("batchnorm", "layernorm", "instancenorm")


class Given(NamedTuple):
    """An argument of a call: its name, None without one, and the pieces of its value."""

    name: str | None
    pieces: Sequence[Piece]


def given(pieces: Sequence[Piece]) -> list[Given]:
    """Return the arguments in the pieces between two brackets."""
    found: list[Given] = []
    start = index = 0
    while index <= len(pieces):
        if index == len(pieces) or pieces[index].text == ",":
            part = pieces[start:index]
            named = len(part) > 2 and part[0].kind in ("WORD", "TEXT") and part[1].text in ("=", ":")
            if part:
                found.append(Given(part[0].text.strip("'\""), part[2:]) if named else Given(None, part))
            start = index + 1
        elif pieces[index].text in "([{":
            index = closing(pieces, index) or index
        index += 1
    return found


def bound(
    walk: Walk, word: str, fields: Fields, arguments: Sequence[Given], spelling: str
) -> tuple[str, set[str], bool] | None:
    """Return a word with the arguments of a call, the fields that they fill, and whether their order is known."""
    order = POSITIONS.get(spelling, POSITIONS.get(word, "")).split()
    if word in ("lstm", "gru", "rnn", "embed") and not order:
        order = ["-", "units"] if sum(argument.name is None for argument in arguments) > 1 else ["units"]
    kinds = {argument.pieces[0].kind for argument in arguments}
    if spelling == "conv" and "SIZE" in kinds:
        order = []
    if spelling == "conv" and _filters_first(arguments):
        order = ["filters", "window"]
    if not word and not order and "lr" in fields:
        order = ["lr"]
    sure = spelling in POSITIONS and (spelling != "conv" or "SIZE" in kinds)
    texts: dict[str, str] = {}
    for argument in arguments:
        if len(argument.pieces) == 1 and argument.pieces[0].text in _NOTHING:
            continue
        name = argument.name
        if name is not None and name.lower() in foreign.NEEDLESS and not foreign.option_meant(name, fields):
            continue
        if name is None and order:
            name = order.pop(0)
            if name == "-":
                continue
        elif name is not None:
            name = name if name in fields else foreign.option_meant(name, fields)
        sub = replace(walk, pieces=argument.pieces, position=0)
        wanted = fields.get(name) if name else _by_kind(sub, fields, texts)
        value = value_for(sub, 0, wanted) if wanted else None
        if wanted is None and word in (*_NORMS, *_ALONE):
            continue
        if value is None and wanted is not None and wanted.bare and wanted.bare.kinds == ("count",):
            number = argument.pieces[0].text
            value_text = f"x{number}" if number.isdigit() and len(argument.pieces) == 1 else None
        else:
            value_text = value.text if value is not None and value.taken == len(argument.pieces) else None
        if wanted is None or value_text is None or wanted.name in texts:
            return None
        texts[wanted.name] = value_text
    along_time = "1d" in spelling.lower()
    if texts.get("window", "").isdigit() and word in _CONVOLUTIONS and not along_time:
        texts["window"] = f"{texts['window']}x{texts['window']}"
    if texts.get("filters", "").isdigit():
        texts["filters"] = f"x{texts['filters']}"
    parts = [texts[n] if f.bare else f"{n}={texts[n]}" for n, f in fields.items() if n in texts]
    parts += [f"{n}={value}" for n, value in _MEANT_TOO.get(spelling, {}).items() if n in fields and n not in texts]
    return " ".join([word, *parts]), set(texts), sure or len(arguments) < 2


def _filters_first(arguments: Sequence[Given]) -> bool:
    """Return whether the first two values are a larger and a smaller number, in the order of Keras."""
    first = [a.pieces[0].text for a in arguments[:2] if a.name is None and len(a.pieces) == 1]
    return len(first) == 2 and all(text.isdecimal() for text in first) and int(first[0][:9]) > int(first[1][:9])


def _by_kind(walk: Walk, fields: Fields, texts: dict[str, str]) -> KnownField | None:
    free = [found for found in fields.values() if found.bare and found.name not in texts]
    return next((found for found in free if value_for(walk, 0, found) is not None), None)


def word_called(walk: Walk, spelling: str, words: KnownWords) -> tuple[str, bool] | None:
    """Return the word that a called name means, and whether it is a statement's, as Adam is optimizer's."""
    layer = spelling if spelling in words.layers else foreign.meant(spelling, words.layers, with_arguments=True)
    if layer is not None:
        return layer, False
    for statement in ("optimizer", "loss", "schedule"):
        named = words.fields_of(statement)
        name = spelling.lower() if spelling.lower() in named else foreign.meant(spelling, named)
        if name is not None:
            return f"{statement} {name}", True
    if spelling in words.statements or foreign.meant(spelling, words.statements):
        return spelling if spelling in words.statements else str(foreign.meant(spelling, words.statements)), True
    return None


@reads("start", rank=2)
def a_residual_in_brackets(walk: Walk) -> Meaning | None:
    """`skip(conv 3x3 x8 pad=same)`, `residual (…)`: layers with a shortcut around them."""
    if walk.text().lower() not in ("skip", "residual", "shortcut", "res") or walk.text(1) != "(":
        return None
    end = closing(walk.pieces, walk.position + 1)
    if end is None or end == walk.position + 2 or walk.text() in walk.blocks:
        return None
    place = walk.pieces[end].start
    return Meaning(
        1, "", "a shortcut is a branch of its own, added to the others", "write ( … + skip)", sure=False,
        more=(Edit(place, place, " + skip"),),
    )  # fmt: skip


@reads("start", rank=3)
def a_call_in_brackets(walk: Walk) -> Meaning | None:
    """`Conv2D(8, 3)`, `nn.Linear(784, 10)`, `dropout(0.5)`."""
    if walk.kind() != "WORD" or walk.text(1) != "(" or walk.text() in ("repeat", "let", "block"):
        return None
    if not walk.touches() and (walk.is_stage() or walk.text() in walk.words.statements):
        return None
    end = closing(walk.pieces, walk.position + 1)
    found = word_called(walk, walk.text().split(".")[-1], walk.words)
    if end is None or found is None or (found[1] and not walk.first):
        return None
    text = called(walk, found[0], walk.pieces[walk.position + 2 : end])
    if text is None:
        return None
    written, filled, sure = text
    head = written.split()[0]
    call = Call.of(head, walk.words, statement=found[1])
    if found[1] and call.named:
        call.fields, call.named = call.named[found[0].split()[1]], None
    call.filled |= filled
    return Meaning(
        end - walk.position + 1, written, "arguments follow a word without parentheses",
        f"write arguments after the word, without parentheses: {written}", sure=sure, call=call, state="call",
    )  # fmt: skip


def called(walk: Walk, word: str, inside: Sequence[Piece]) -> tuple[str, set[str], bool] | None:
    """Return a word with the arguments in the pieces between its brackets, as `bound` does."""
    head, _, name = word.partition(" ")
    named = walk.words.fields_of(head)
    if name == "" and head not in named:  # a statement that names a word: optimizer(adam, …)
        return None
    fields = named[name or head]
    lists = (f for f in fields.values() if f.bare and (f.name == "shape" or (f.collects and "int" in f.bare.kinds)))
    if (whole := next(lists, None)) is not None:
        sub = replace(walk, position=walk.position + 1, call=Call(head, False, fields))
        value = value_for(sub, 0, whole)
        if value is not None and value.taken == len(inside) + 2:
            return f"{head} {value.text}", {whole.name}, True
    arguments = given(inside)
    arguments = [
        a
        for a in arguments
        if not (len(a.pieces) > 1 and a.name is None and a.pieces[-1].text == ")" and head == "optimizer")
    ]
    spelling = walk.text().split(".")[-1]
    return bound(replace(walk, call=Call(head, False, fields)), word, fields, arguments, spelling)


@reads("call", rank=3)
def empty_brackets(walk: Walk) -> Meaning | None:
    """`relu()` where a name is wanted is read with the name; `softmax ()` is left over."""
    if walk.text() != "(" or walk.text(1) != ")":
        return None
    return Meaning(2, "", "a word has no parentheses after it", "leave the () out")


@reads("call", rank=4)
def arguments_in_brackets(walk: Walk) -> Meaning | None:
    """`optimizer adam (lr=0.1)`, `optimizer adam(lr=0.1)`, `data sine(window=10)`."""
    call = walk.call
    if call is None or walk.text() not in ("(", "{", "[") or not call.fields or (not call.statement and call.filled):
        return None
    end = closing(walk.pieces, walk.position)
    if end is None or any(value_for(walk, 0, wanted) is not None for wanted in call.free()):
        return None
    sub = replace(walk, call=Call(call.word, call.statement, call.fields))
    found = bound(sub, "", call.fields, given(walk.pieces[walk.position + 1 : end]), "")
    if found is None:
        return None
    blank = " " if walk.touches(-1) else ""
    call.filled |= found[1]
    return Meaning(
        end - walk.position + 1,
        f"{blank}{found[0].strip()}",
        "arguments follow a word without parentheses",
        f"write {found[0].strip()}, without parentheses",
    )
