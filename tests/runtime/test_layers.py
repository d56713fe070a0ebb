"""The contract of every layer of the language, found through the registries: nothing here names one."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.layers import LAYERS, Mode, build
from nnspec.spec_lang.vocabulary.registry import layers, words
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import Case, examples

NAMES = sorted(layers())
CASES = [case for name in NAMES for case in examples(name)]
DIRECTIONS = 8
"""Arrays too large to move each number on its own are moved along so many random directions."""


def mode(training: bool, case: Case, batch: int = 3) -> Mode:
    """The mode of a layer by itself, with the same random numbers at each call."""
    draws = case.word.draws(case.shape) if training else None
    drawn = np.random.default_rng(5).random((batch, *draws), np.float32) if draws is not None else None
    return Mode(training, drawn=drawn)


def check(f: Callable[[Array], float], x: Array, analytic: Array, name: str) -> None:
    """gradient_check, number by number or, for large arrays, along random directions."""
    if x.size <= 80:
        gradient_check(f, x, analytic, name)
        return
    directions = np.random.default_rng(6).normal(size=(DIRECTIONS, *x.shape))
    slopes = np.tensordot(directions, analytic, axes=x.ndim)
    gradient_check(
        lambda t: f(x + np.tensordot(t, directions, axes=1)), np.zeros(DIRECTIONS), slopes, f"{name} along t"
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_of_the_language_has_an_example_that_fits_some_shape_and_is_computed(name: str) -> None:
    cases = list(examples(name))
    assert cases
    for case in cases:
        random = np.random.default_rng(1)
        y, _ = build(case.word, case.shape, case.arrays(random))(case.samples(random), Mode())
        assert np.isfinite(y).all()


def test_nothing_is_computed_that_the_language_does_not_know() -> None:
    assert set(LAYERS) <= set(layers().values())


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradients_are_the_slopes_of_the_forward(case: Case, training: bool) -> None:
    random = np.random.default_rng(1)
    arrays, x = case.arrays(random), case.samples(random)
    buffers = {name: arrays[name].copy() for name in case.word.buffers(case.shape)}
    d_y = random.normal(size=(len(x), *case.word.output_shape(case.shape)))

    def value(x: Array, changed: Mapping[str, Array]) -> float:
        fresh = {**arrays, **{name: buffer.copy() for name, buffer in buffers.items()}, **changed}
        y, _ = build(case.word, case.shape, fresh)(x, mode(training, case))
        return float((y * d_y).sum())

    d_x, gradients = build(case.word, case.shape, arrays)(x, mode(training, case))[1](d_y)
    check(lambda moved: value(moved, {}), x, d_x, "x")
    assert set(gradients) == set(case.word.parameters(case.shape))
    for name, gradient in gradients.items():
        check(lambda moved, name=name: value(x, {name: moved}), arrays[name], gradient, name)  # type: ignore[misc]


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_shapes_are_those_the_language_foretold_and_types_those_that_came_in(case: Case, training: bool) -> None:
    answers: dict[Any, list[Array]] = {}
    for dtype in (np.float32, np.float64):
        random = np.random.default_rng(1)
        arrays, x = case.arrays(random, dtype), case.samples(random, dtype=dtype)
        y, backward = build(case.word, case.shape, arrays)(x, mode(training, case))
        d_x, gradients = backward(random.normal(size=y.shape).astype(dtype))
        answers[dtype] = [y, d_x, *gradients.values(), *arrays.values()]
        assert y.shape == (len(x), *case.word.output_shape(case.shape))
        assert d_x.shape == x.shape
        assert {n: g.shape for n, g in gradients.items()} == {
            n: p.shape for n, p in case.word.parameters(case.shape).items()
        }
        assert {array.dtype for array in answers[dtype]} == {np.dtype(dtype)}
    for single, double in zip(answers[np.float32], answers[np.float64], strict=True):
        np.testing.assert_allclose(single, double, rtol=1e-5, atol=3e-4 * np.abs(double).max())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_at_inference_each_sample_is_answered_by_itself_and_nothing_is_changed(case: Case) -> None:
    random = np.random.default_rng(1)
    arrays, x = case.arrays(random), case.samples(random)
    before = {name: array.copy() for name, array in arrays.items()}, x.copy()
    forward = build(case.word, case.shape, arrays)
    together = forward(x, Mode())[0]
    alone = np.concatenate([forward(x[i : i + 1], Mode())[0] for i in range(len(x))])
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-14)
    np.testing.assert_equal((arrays, x), before)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_leaves_its_input_its_parameters_and_the_gradient_it_is_given_as_they_are(case: Case) -> None:
    random = np.random.default_rng(1)
    arrays, x = case.arrays(random), case.samples(random)
    parameters = {name: arrays[name] for name in case.word.parameters(case.shape)}
    before = {name: array.copy() for name, array in parameters.items()}, x.copy()
    y, backward = build(case.word, case.shape, arrays)(x, mode(True, case))
    d_y = random.normal(size=y.shape)
    given = d_y.copy()
    backward(d_y)
    np.testing.assert_equal((parameters, x, d_y), (*before, given))


@pytest.mark.parametrize("case", [case for case in CASES if case.word.parameters(case.shape)], ids=str)
def test_parameters_are_read_at_each_call(case: Case) -> None:
    random = np.random.default_rng(1)
    arrays, x = case.arrays(random), case.samples(random)
    forward = build(case.word, case.shape, arrays)
    forward(x, Mode())
    for array in arrays.values():
        array *= 2
    np.testing.assert_array_equal(forward(x, Mode())[0], build(case.word, case.shape, arrays)(x, Mode())[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(words("activation")))
def test_activations_and_their_slopes_are_finite_for_huge_numbers(name: str, dtype: Any) -> None:
    word: Any = words("activation")[name]()
    x = np.array([[-1e4, -700, -90, -1e-30, 0, 1e-30, 90, 700, 1e4]], dtype)
    y, backward = build(word, Shape((9,)), {})(x, Mode())
    d_x, _ = backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(d_x).all()
