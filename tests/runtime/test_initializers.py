"""The initializers: moments, bounds, and the same numbers from the same seed."""

import math
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.initializers import initialize
from nnspec.spec_lang.vocabulary.initializers import Constant, He, Init, Orthogonal, Paper, Uniform, VeryLarge
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Parameter

WIDE = Parameter((200, 300), fan_in=200, fan_out=300)
NAMES = sorted(words("init"))


def drawn(word: Init, parameter: Parameter = WIDE, dtype: Any = np.float64, seed: int = 1) -> Array:
    return initialize(word, parameter, np.random.default_rng(seed), dtype)


def named(name: str) -> Init:
    word = words("init")[name]()
    assert isinstance(word, Init)
    return word


@pytest.mark.parametrize("name", NAMES)
def test_every_initializer_gives_the_shape_and_type_and_the_same_numbers_for_either_type(name: str) -> None:
    parameter = Parameter((3, 2, 4, 5), fan_in=24, fan_out=30)
    single, double = drawn(named(name), parameter, np.float32), drawn(named(name), parameter)
    assert single.shape == double.shape == parameter.shape
    assert [single.dtype, double.dtype] == [np.dtype(np.float32), np.dtype(np.float64)]
    np.testing.assert_array_equal(single, double.astype(np.float32))
    np.testing.assert_array_equal(double, drawn(named(name), parameter))
    assert single.flags.c_contiguous
    assert single.flags.writeable


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("normal", 1),
        ("very_large", 10),
        ("xavier", math.sqrt(2 / 500)),
        ("xavier_uniform", math.sqrt(2 / 500)),
        ("he", math.sqrt(2 / 200)),
        ("paper", math.sqrt(2 / 200)),
        ("he_uniform", math.sqrt(2 / 200)),
        ("lecun", math.sqrt(1 / 200)),
        ("uniform", 0.1 / math.sqrt(12)),
    ],
)
def test_a_distribution_has_its_mean_and_its_deviation(name: str, deviation: float) -> None:
    values = drawn(named(name))
    assert abs(values.mean()) < 4 * deviation / math.sqrt(values.size)
    assert values.std() == pytest.approx(deviation, rel=0.01)


def test_uniform_distributions_stay_within_their_bounds() -> None:
    for word, bound in [
        (named("xavier_uniform"), math.sqrt(6 / 500)),
        (named("he_uniform"), math.sqrt(6 / 200)),
        (Uniform(low=-2, high=2), 2),
    ]:
        assert bound * 0.999 < np.abs(drawn(word)).max() <= bound


def test_paper_is_he_to_the_last_bit() -> None:
    np.testing.assert_array_equal(drawn(Paper()), drawn(He()))


def test_zeros_ones_and_constant_are_what_they_say() -> None:
    np.testing.assert_array_equal(drawn(named("zeros")), 0)
    np.testing.assert_array_equal(drawn(named("ones")), 1)
    np.testing.assert_array_equal(drawn(Constant(value=-3)), -3)


def test_options_change_the_distribution() -> None:
    np.testing.assert_allclose(drawn(VeryLarge(std=3)), 3 * drawn(named("normal")), rtol=1e-15)


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (3, 3, 2, 5), (1, 1, 2, 16), (1, 4), (5,)])
def test_orthogonal_makes_what_outputs_see_orthonormal_or_else_what_inputs_feed(shape: tuple[int, ...]) -> None:
    matrix = drawn(Orthogonal(gain=2), Parameter(shape)).reshape(-1, shape[-1]) / 2
    rows, columns = matrix.shape
    product = matrix.T @ matrix if rows >= columns else matrix @ matrix.T
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_prefers_no_rotation() -> None:
    random = np.random.default_rng(1)
    matrices = np.array([initialize(Orthogonal(), Parameter((3, 3)), random, np.float64) for _ in range(4000)])
    np.testing.assert_allclose(matrices.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose((matrices**2).mean(axis=0), 1 / 3, atol=0.03)
