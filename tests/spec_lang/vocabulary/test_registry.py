"""What a class of a word may not do: take the word of another, or nearly a name that its base declares."""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.optimizers import Optimizer
from nnspec.spec_lang.vocabulary.registry import Word, temporary_words, words


@pytest.fixture(autouse=True)
def passing() -> Iterator[None]:
    with temporary_words():
        yield


def define(name: str, base: type[Word], module: str = "some.module", **attributes: Any) -> type[Word]:
    return type(name, (base,), {"__doc__": "A word of a test.", "__module__": module, **attributes})


@pytest.mark.parametrize("word", ["conv", "relu"])
def test_a_second_word_of_a_name_is_refused_with_both_modules(word: str) -> None:
    before = {**words("layer"), **words("activation")}[word]
    with pytest.raises(ValueError, match=f"{before.__name__} of {before.__module__} already: give Mine of some.module"):
        define("Mine", Layer, word=word)
    assert {**words("layer"), **words("activation")}[word] is before


def test_a_class_that_is_defined_again_replaces_the_first() -> None:
    first, second = (define("Mine", Layer, word="mine") for _ in range(2))
    assert words("layer")["mine"] is second is not first


@pytest.mark.parametrize(
    ("base", "attributes", "meant"),
    [
        (Layer, {"draw": lambda self, shape: shape}, "draws"),
        (Layer, {"mixes_sample": True, "__annotations__": {"mixes_sample": ClassVar[bool]}}, "mixes_samples"),
        (Layer, {"output_shapes": lambda self, shape: shape}, "output_shape"),
        (Optimizer, {"slot": ("mean",), "__annotations__": {"slot": ClassVar[tuple[str, ...]]}}, "slots"),
    ],
)
def test_a_misspelled_fact_is_refused_with_the_name_that_is_meant(
    base: type[Word], attributes: dict[str, Any], meant: str
) -> None:
    with pytest.raises(TypeError, match=rf"Mine of some.module has \w+: did you mean {meant}\?"):
        define("Mine", base, word="mine", **attributes)


def test_a_helper_of_a_word_has_any_other_name() -> None:
    mine = define("Mine", Layer, word="mine", pair=lambda self: 2, steps=lambda self: 3)
    assert words("layer")["mine"] is mine
