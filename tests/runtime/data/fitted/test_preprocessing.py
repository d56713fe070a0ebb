"""Normalization: what it does to a sample, and that it comes back from a checkpoint as it was."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnspec.runtime.data import DataError, Preprocessing

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 4, 5, 3), dtype=np.uint8)
TABLE = np.array([[1.0, 5.0, -2.0], [3.0, 5.0, 0.0], [8.0, 5.0, 7.0]])


def test_zscore_gives_each_channel_mean_0_and_deviation_1() -> None:
    out = Preprocessing.fit(PIXELS, "zscore", "classification").apply(PIXELS, np.float64)
    np.testing.assert_allclose(out.mean(axis=(0, 1, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(out.std(axis=(0, 1, 2)), 1, rtol=1e-13)


def test_minmax_gives_each_feature_the_range_0_to_1() -> None:
    out = Preprocessing.fit(TABLE, "minmax", "regression").apply(TABLE, np.float64)
    assert out[:, [0, 2]].min(axis=0).tolist() == [0, 0] and out[:, [0, 2]].max(axis=0).tolist() == [1, 1]


@pytest.mark.parametrize("kind", ["zscore", "minmax"])
def test_a_feature_that_never_changes_has_scale_1(kind: Any) -> None:
    table = np.column_stack([np.full(7, 0.1), np.arange(7)])
    preprocessing = Preprocessing.fit(table, kind, "regression")
    assert preprocessing.scale[0] == 1
    np.testing.assert_allclose(preprocessing.apply(table)[:, 0], 0, atol=1e-15)


def test_unit_brings_bytes_from_0_to_1() -> None:
    out = Preprocessing.fit(PIXELS, "unit", "classification").apply(PIXELS, np.float64)
    assert np.array_equal(out, PIXELS / 255)


@pytest.mark.parametrize(
    ("samples", "said"), [(TABLE, "from -2 to 8; write normalize=minmax"), (TABLE * 0 + 0.5, "write normalize=none")]
)
def test_unit_is_refused_for_anything_but_the_range_of_a_byte(samples: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Preprocessing.fit(samples, "unit", "regression")


def test_none_changes_nothing() -> None:
    out = Preprocessing.fit(PIXELS, "none", "classification").apply(PIXELS)
    assert out.dtype == np.float32 and np.array_equal(out, PIXELS)


def test_numbers_without_a_finite_spread_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be normalized by zscore"):
        Preprocessing.fit(np.array([[-1e308], [1e308]]), "zscore", "regression")


@pytest.mark.parametrize("kind", ["zscore", "minmax", "unit", "none"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "f4", "f8", "bool"])
def test_float32_is_float64_rounded_whatever_the_samples_are(kind: Any, dtype: str) -> None:
    samples = PIXELS.astype(dtype)
    preprocessing = Preprocessing.fit(PIXELS, kind, "classification")
    exact = preprocessing.apply(samples, np.float64)
    np.testing.assert_allclose(preprocessing.apply(samples), exact, rtol=2e-6, atol=2e-7)


def test_large_offsets_survive_in_float32() -> None:
    years = np.array([[1.7e9], [1.7e9 + 1], [1.7e9 + 2]])
    out = Preprocessing.fit(years, "minmax", "regression").apply(years)
    assert out.dtype == np.float32 and out[:, 0].tolist() == [0, 0.5, 1]


def test_a_batch_has_the_same_numbers_as_its_samples_alone() -> None:
    preprocessing = Preprocessing.fit(PIXELS, "zscore", "classification")
    whole = preprocessing.apply(PIXELS)
    assert all(np.array_equal(preprocessing.apply(PIXELS[i : i + 1])[0], whole[i]) for i in range(len(PIXELS)))


def test_out_is_filled_and_given_back() -> None:
    preprocessing = Preprocessing.fit(PIXELS, "zscore", "classification")
    out = np.empty((2, 4, 5, 3))
    assert preprocessing.apply(PIXELS[:2], out=out) is out
    assert np.array_equal(out, preprocessing.apply(PIXELS[:2], np.float64))


def test_one_channel_may_be_left_out() -> None:
    grey = PIXELS[..., :1]
    preprocessing = Preprocessing.fit(grey, "zscore", "classification")
    assert np.array_equal(preprocessing.apply(grey[..., 0]), preprocessing.apply(grey))


@pytest.mark.parametrize(
    ("shape", "given_shape", "said"),
    [
        ((28, 28, 1), (2, 32, 32, 1), "samples of 32x32x1 were given, and the network takes 28x28x1"),
        ((28, 28, 1), (2, 28, 28, 3), "samples of 28x28x3 were given"),
        ((4,), (2, 17), "samples of 17 features were given, and the network takes 4"),
    ],
)
def test_samples_of_another_shape_are_refused_with_both(
    shape: tuple[int, ...], given_shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Preprocessing.identity(shape).apply(np.zeros(given_shape))


def test_a_class_without_a_name_goes_by_its_number() -> None:
    named = Preprocessing.fit(TABLE, "none", "classification", ("cat", "dog"))
    assert [named.class_name(number) for number in range(3)] == ["cat", "dog", "2"]
    assert Preprocessing.identity((3,)).class_name(1) == "1"


@pytest.mark.slow
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.just(3)), elements=st.floats(-1e100, 1e100)),
    st.sampled_from(["zscore", "minmax", "none"]),
    st.none() | st.lists(st.text(), min_size=1, max_size=4).map(tuple),
    st.none() | st.tuples(st.text(), st.text(), st.text()),
)
def test_entries_come_back_bit_for_bit(samples: Any, kind: Any, classes: Any, names: Any) -> None:
    try:
        made = Preprocessing.fit(samples, kind, "classification", classes, names)
    except DataError:
        return  # a deviation that float64 cannot hold
    found = Preprocessing.from_entries(made.as_entries())
    assert (found.shift.tobytes(), found.scale.tobytes()) == (made.shift.tobytes(), made.scale.tobytes())
    for name in ("normalize", "input_shape", "classes", "features", "task", "limits"):
        assert getattr(found, name) == getattr(made, name)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("normalize", "log", "no normalize known to this version"),
        ("task", np.zeros(1), "no task"),
        ("scale", np.array([1.0, 0.0, 1.0]), "not above 0"),
        ("scale", np.array([1.0, np.nan, 1.0]), "array scale of finite float64"),
        ("shift", np.zeros(3, np.float32), "array shift of finite float64"),
        ("shift", np.zeros(2), "shapes that do not match"),
        ("input_shape", np.array([-3]), "shapes that do not match"),
        ("limits", "0 255", "array limits"),
        ("classes", '{"a": 1}', "classes that are not a list of names"),
        ("classes", '["a"', "classes that are not a list of names"),
        ("features", '["a", "b"]', "names 2 of 3 features"),
        ("vocabulary", "abc", "vocabulary that are not a list of names"),
        ("alphabet", "abc", "an entry unknown to this version, 'alphabet'"),
    ],
)
def test_entries_that_cannot_be_are_refused(name: str, value: Any, said: str) -> None:
    entries = Preprocessing.fit(TABLE, "zscore", "regression").as_entries()
    with pytest.raises(DataError, match=said):
        Preprocessing.from_entries(entries | {name: value})


def test_a_missing_entry_is_refused() -> None:
    entries = Preprocessing.identity((3,)).as_entries()
    for name in entries:
        with pytest.raises(DataError, match=name):
            Preprocessing.from_entries({key: value for key, value in entries.items() if key != name})
