"""The check that the other checks rest on: it finds what is wrong, and says both numbers."""

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.gradient_check import gradient_check, numeric_gradient

X = np.array([[0.5, -1.0], [2.0, 300.0]])


def cubes(x: Array) -> float:
    return float((x**3).sum())


def test_a_right_gradient_passes_far_below_the_tolerance() -> None:
    assert gradient_check(cubes, X, 3 * X**2) < 1e-9


def test_one_wrong_number_fails_with_its_place_and_both_numbers() -> None:
    wrong = 3 * X**2
    wrong[1, 0] += 2
    with pytest.raises(
        AssertionError, match=r"the gradient of weight\[1, 0\] is 14, and the slope .* there is 1[12]\.\d+"
    ):
        gradient_check(cubes, X, wrong, "weight")


def test_a_gradient_off_by_a_few_millionths_fails() -> None:
    with pytest.raises(AssertionError, match=r"a relative error of 3\.0e-06, where 1e-06 is allowed"):
        gradient_check(cubes, X, 3 * X**2 * (1 + 3e-6))


def test_a_gradient_that_is_no_number_fails() -> None:
    with pytest.raises(AssertionError, match="is nan"):
        gradient_check(cubes, X, np.full_like(X, np.nan))


def test_a_gradient_of_another_shape_fails() -> None:
    with pytest.raises(AssertionError, match=r"the gradient of x has the shape \(4,\), and x has \(2, 2\)"):
        gradient_check(cubes, X, np.zeros(4))


def test_a_gradient_of_zero_is_right_where_nothing_changes() -> None:
    assert gradient_check(lambda x: 5.0, X, np.zeros_like(X)) == 0


def test_x_stays_as_it_was_and_may_be_a_single_number() -> None:
    before = X.copy()
    numeric_gradient(cubes, X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_allclose(numeric_gradient(cubes, np.array(2.0)), 12)
