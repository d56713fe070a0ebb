"""The plain forms that a program calls where no kernel is written, each from its line in the language."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Forward, MergeForward, build, build_merge
from nnspec.runtime.losses import LossFunction, build_loss
from nnspec.spec_lang.check.bind import bind as bind_word
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Call, Pipeline
from nnspec.spec_lang.vocabulary.registry import Word, layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.summary import known_words


def plain_layer(text: str, shape: tuple[int, ...], arrays: Mapping[str, Array], sequence: bool = False) -> Forward:
    """Return the plain forward of a layer, for samples of this shape and with these parameters and buffers."""
    word: Any = _word(text, layers())
    return build(word, Shape(shape, sequence), arrays)


def plain_merge(word: str, shapes: Sequence[tuple[tuple[int, ...], bool]], arrays: Mapping[str, Array]) -> MergeForward:
    """Return the plain forward of a merge, for branches of these shapes, each with whether it is a sequence."""
    merge: Any = words("merge")[word]()
    return build_merge(merge, [Shape(*shape) for shape in shapes], arrays)


def plain_loss(text: str) -> LossFunction:
    """Return the plain form of a loss."""
    word: Any = _word(text, words("loss"))
    return build_loss(word)


def _word(text: str, known: Mapping[str, type[Word]]) -> Word:
    statements, found = parse_source(Source("<program>", text), known_words())
    match statements:
        case [Pipeline(stages=(Call() as call,))] if not found:
            word, found = bind_word(known[call.word], call.arguments, call.span)
            if word is not None:
                return word
    raise ValueError(f"{text!r} is no layer: {found}")
