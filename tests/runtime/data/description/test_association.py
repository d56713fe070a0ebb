"""How strongly columns belong together, by their kinds."""

import numpy as np
import pytest

from nnspec.runtime.data.description.association import association, cramers_v, gives_away

RANDOM = np.random.default_rng(0)


def test_two_numbers_have_pearsons_correlation() -> None:
    x = RANDOM.normal(size=50)
    y = 2 * x + RANDOM.normal(size=50)
    measure, value = association(x, y)
    assert measure == "Pearson" and value == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)
    assert association(x, -x)[1] == pytest.approx(-1, abs=1e-12)


def test_a_number_and_categories_have_the_root_of_the_explained_variance() -> None:
    values, codes = np.array([1.0, 2, 3, 10, 11, 12]), np.array([0, 0, 0, 1, 1, 1])
    total, within = values.var() * 6, 2 * 2.0
    measure, value = association(values, codes)
    assert measure == "correlation ratio" and value == pytest.approx(np.sqrt(1 - within / total), abs=1e-12)
    assert association(codes, values) == (measure, value)


def test_categories_have_cramers_v_of_their_table() -> None:
    one, other = np.repeat([0, 0, 1, 1], [30, 10, 5, 55]), np.repeat([0, 1, 0, 1], [30, 10, 5, 55])
    phi = (30 * 55 - 10 * 5) / np.sqrt(40 * 60 * 35 * 65)
    assert cramers_v(one, other) == pytest.approx(phi, abs=1e-12)
    assert association(one, one)[1] == pytest.approx(1)


def test_rows_with_a_missing_cell_are_left_out_and_constants_have_no_association() -> None:
    x, y = np.array([1.0, np.nan, 3, 5]), np.array([1.0, 100, 3, 5])
    assert association(x, y)[1] == pytest.approx(1)
    assert association(x, np.array([0, 1, -1, 1]))[1] == pytest.approx(1)
    assert association(np.ones(5), np.arange(5.0))[1] is None
    assert association(np.zeros(5, int), np.arange(5) % 2)[1] is None
    assert association(np.array([], float), np.array([], float))[1] is None


def test_a_column_that_decides_the_target_is_found() -> None:
    target = np.arange(60) % 3
    assert gives_away(target * 2.0 + RANDOM.uniform(0, 1, 60), target)
    assert gives_away((target + 1) % 3, target)
    assert not gives_away(RANDOM.normal(size=60), target)
    assert not gives_away(np.arange(60), target)  # each category once says nothing
    ties = np.where(np.arange(60) == 5, 2.0, target.astype(float))
    assert not gives_away(np.where(ties == 1, 0.0, ties), target)
    numbers = RANDOM.normal(size=60)
    assert gives_away(3 * numbers + 1, numbers) and not gives_away(numbers + RANDOM.normal(size=60), numbers)
