"""The contract of every merge of the language: shapes, gradients, and samples computed independently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.layers import Mode, build_merge
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from tests.support.strategies import distinct

ROW, IMAGE, STEPS = Shape((3,)), Shape((4, 5, 3)), Shape((4, 3), sequence=True)
BRANCHES = (
    (ROW, ROW),
    (ROW, Shape((2,))),
    (ROW, ROW, ROW),
    (IMAGE, IMAGE),
    (IMAGE, Shape((4, 5, 2))),
    (IMAGE, ROW),
    (ROW, IMAGE, IMAGE),
    (STEPS, STEPS),
    (STEPS, Shape((4, 2), sequence=True)),
    (ROW, STEPS),
)
"""Shapes of branches; each merge is tried on those that it accepts."""


@dataclass(frozen=True)
class Joined:
    """A merge and the shapes of its branches."""

    word: Layer
    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        return f" {self.word.word} ".join(map(str, self.shapes))

    def samples(self, batch: int = 3, dtype: Any = np.float64) -> list[Array]:
        """Random samples of each branch; no two numbers are near each other, or near 0, where slopes may change."""
        sizes = [batch * shape.size for shape in self.shapes]
        parts = np.split(distinct(np.random.default_rng(1), (sum(sizes),)), np.cumsum(sizes)[:-1])
        return [part.reshape(batch, *shape).astype(dtype) for part, shape in zip(parts, self.shapes, strict=True)]

    def step(self, xs: Sequence[Array], d_y: Array) -> list[Array]:
        """The output, and the gradient of each branch."""
        y, backward = build_merge(self.word, self.shapes, {})(xs, Mode(training=True))
        return [y, *backward(d_y)[0]]

    def d_y(self, batch: int = 3, dtype: Any = np.float64) -> Array:
        return np.random.default_rng(2).normal(size=(batch, *self.word.merged_shape(self.shapes))).astype(dtype)


def _fits(word: Layer, shapes: Sequence[Shape]) -> bool:
    try:
        word.merged_shape(shapes)
    except Misfit:
        return False
    return True


MERGES: list[Layer] = [cls() for cls in words("merge").values() if issubclass(cls, Layer)]
CASES = [Joined(word, shapes) for word in MERGES for shapes in BRANCHES if _fits(word, shapes)]


@pytest.mark.parametrize("word", MERGES, ids=lambda word: word.word)
def test_every_merge_accepts_some_branches_and_declares_what_it_mixes(word: Layer) -> None:
    assert any(case.word is word for case in CASES)
    assert word.mixes_samples is not None and word.mixes_steps is not None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradients_of_a_merge_are_the_slopes_of_its_forward(case: Joined) -> None:
    xs, d_y = case.samples(), case.d_y()
    _, *gradients = case.step(xs, d_y)
    for i, (x, d_x) in enumerate(zip(xs, gradients, strict=True)):

        def value(moved: Array, i: int = i) -> float:
            return float((case.step([*xs[:i], moved, *xs[i + 1 :]], d_y)[0] * d_y).sum())

        gradient_check(value, x, d_x, f"branch {i}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_shapes_of_a_merge_are_the_declared_ones_and_types_those_of_its_inputs(case: Joined, dtype: Any) -> None:
    xs, d_y = case.samples(dtype=dtype), case.d_y(dtype=dtype)
    before = [x.copy() for x in (*xs, d_y)]
    y, *gradients = case.step(xs, d_y)
    assert y.shape == d_y.shape
    assert [d_x.shape for d_x in gradients] == [x.shape for x in xs]
    assert {array.dtype for array in (y, *gradients)} == {np.dtype(dtype)}
    np.testing.assert_equal([*xs, d_y], before)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_merge_mixes_neither_samples_nor_steps_unless_it_declares_it(case: Joined) -> None:
    xs, d_y = case.samples(), case.d_y()
    whole = case.step(xs, d_y)
    lanes = [case.step([x[part] for x in xs], d_y[part]) for part in (slice(0, 2), slice(2, 3))]
    alike = all(np.allclose(np.concatenate(parts), all_) for *parts, all_ in zip(*lanes, whole, strict=True))
    assert alike or case.word.mixes_samples, f"lanes of {case.word.word} differ: declare `mixes_samples = True`"
    if not any(shape.sequence for shape in case.shapes):
        return
    bump = 0.25 * (np.arange(4) == 1)[:, None]
    changed = [x + bump if shape.sequence else x for x, shape in zip(xs, case.shapes, strict=True)]
    others = np.arange(4) != 1
    alike = np.allclose(case.step(changed, d_y)[0][:, others], whole[0][:, others])
    assert alike or case.word.mixes_steps, f"steps of {case.word.word} depend on others: declare `mixes_steps = True`"
