"""The scaling of numbers to predict: fitted, applied, undone, and stored with the preprocessing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.fitted.target_scaling import TargetScaling
from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import TargetError

TARGETS = np.array([[10.0, 5.0], [20.0, 5.0], [60.0, 5.0]])


def test_each_column_gets_mean_0_and_deviation_1() -> None:
    targets = np.random.default_rng(0).normal([3, -700], [0.1, 50], size=(200, 2))
    scaled = TargetScaling.fit(targets).apply(targets)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-12)


def test_a_constant_column_is_only_shifted() -> None:
    scaling = TargetScaling.fit(TARGETS)
    assert scaling.shift[1] == 5 and scaling.scale[1] == 1
    assert (scaling.apply(TARGETS)[:, 1] == 0).all()


def test_targets_of_steps_are_scaled_by_column() -> None:
    targets = np.random.default_rng(0).normal(4, 2, size=(30, 7, 1))
    scaling = TargetScaling.fit(targets)
    assert scaling.shift.shape == (1,)
    assert scaling.shift[0] == pytest.approx(targets.mean(), rel=1e-12)
    assert scaling.scale[0] == pytest.approx(targets.std(), rel=1e-12)


@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(2)), elements=st.floats(-1e6, 1e6, width=32)),
)
def test_inverting_gives_the_targets_back(targets: np.ndarray) -> None:
    scaling = TargetScaling.fit(targets)
    np.testing.assert_allclose(scaling.invert(scaling.apply(targets)), targets, rtol=1e-9, atol=1e-6)


def test_outputs_keep_their_type_and_are_not_changed_in_place() -> None:
    outputs = np.array([[1, 2]], np.float32)
    inverted = TargetScaling.fit(TARGETS).invert(outputs)
    assert inverted.dtype == np.float32
    assert outputs.tolist() == [[1, 2]]


def test_targets_without_the_last_axis_fit_a_single_output() -> None:
    scaling = TargetScaling.fit(TARGETS[:, :1])
    outputs = np.zeros((3, 1), np.float32)
    assert np.array_equal(scaling.scaled(TARGETS[:, 0], outputs), scaling.apply(TARGETS[:, :1]))
    with pytest.raises(TargetError, match="need a number each"):
        scaling.scaled(TARGETS[:, 0], np.zeros((3, 3), np.float32))


def test_numbers_too_large_to_scale_are_refused() -> None:
    with pytest.raises(DataError, match="targets=none"):
        TargetScaling.fit(np.array([[1e308], [-1e308], [1e308]]))


def test_the_preprocessing_stores_it_and_lacks_it_where_there_is_none() -> None:
    plain = Preprocessing.identity((3,), "regression")
    assert not [name for name in plain.as_entries() if name.startswith("target")]
    assert Preprocessing.from_entries(plain.as_entries()).target_scaling is None
    scaled = replace(plain, target_scaling=TargetScaling.fit(TARGETS))
    read = Preprocessing.from_entries(scaled.as_entries()).target_scaling
    assert read is not None and scaled.target_scaling is not None
    assert np.array_equal(read.shift, scaled.target_scaling.shift)
    assert np.array_equal(read.scale, scaled.target_scaling.scale)


@pytest.mark.parametrize(
    "broken",
    [
        {"target_scale": np.zeros(2)},
        {"target_scale": np.ones(3)},
        {"target_scale": np.array([1, np.nan])},
        {"target_shift": np.ones(2, np.float32)},
        {"target_scale": None},
        {"target_shift": None},
    ],
)
def test_a_stored_scaling_that_no_network_can_have_is_refused(broken: dict[str, np.ndarray | None]) -> None:
    preprocessing = replace(Preprocessing.identity((3,)), target_scaling=TargetScaling.fit(TARGETS))
    entries = preprocessing.as_entries() | {name: value for name, value in broken.items() if value is not None}
    for name, value in broken.items():
        if value is None:
            del entries[name]
    with pytest.raises(DataError, match="the preprocessing stored in the checkpoint"):
        Preprocessing.from_entries(entries)
