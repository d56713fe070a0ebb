"""How arithmetic is found for a word, and what is said where there is none."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.initializers import INITIALIZERS
from nnspec.runtime.layers import LAYERS, Forward, Mode, build
from nnspec.runtime.losses import LOSSES
from nnspec.runtime.metrics import METRICS
from nnspec.runtime.optimizers import RULES
from nnspec.runtime.registry import Registry
from nnspec.runtime.schedules import SCHEDULES
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import Relu
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Shape

ROOMS: dict[str, Registry[Any]] = {
    "init": INITIALIZERS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": RULES,
    "schedule": SCHEDULES,
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ROOMS for name in words(kind)])
def test_every_word_of_the_language_is_computed(kind: str, name: str) -> None:
    assert callable(ROOMS[kind][words(kind)[name]])


@pytest.mark.parametrize("kind", ROOMS)
def test_nothing_is_computed_that_the_language_does_not_know(kind: str) -> None:
    assert set(ROOMS[kind]) <= set(words(kind).values())


def test_a_word_that_nothing_computes_is_answered_with_the_place_to_compute_it() -> None:
    class Stranger(Layer):
        """A layer that nobody has computed yet."""

    with pytest.raises(
        KeyError, match="nothing computes Stranger yet: register a function for Stranger in runtime/layers"
    ):
        build(Stranger(), Shape((3,)), {})


def test_a_word_made_from_another_is_computed_like_it() -> None:
    class Ramp(Relu):
        """Relu by another name."""

    y, _ = build(Ramp(), Shape((2,)), {})(np.array([[-1.0, 2.0]]), Mode())
    np.testing.assert_array_equal(y, [[0, 2]])


def test_a_word_cannot_be_computed_in_two_ways() -> None:
    def another(word: Relu, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
        return build(word, shape, arrays)

    assert len(LAYERS) > 0
    with pytest.raises(ValueError, match="Relu is computed by layer already"):
        LAYERS.implements(Relu)(another)
