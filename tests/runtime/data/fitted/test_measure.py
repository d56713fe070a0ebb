"""Measures in chunks against NumPy's on the whole."""

import tracemalloc

import numpy as np
import pytest

from nnspec.runtime.data.fitted import measure


@pytest.fixture(autouse=True, params=[1, 7, 2**18])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_CHUNK", request.param)


@pytest.mark.parametrize("shape", [(11, 3), (5, 4, 3, 2), (1, 1)])
@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8"])
def test_limits_mean_and_deviation_are_those_of_each_channel(shape: tuple[int, ...], dtype: str) -> None:
    samples = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    flat = samples.reshape(-1, shape[-1]).astype(np.float64)
    low, high = measure.limits(samples)
    mean, deviation = measure.mean_and_deviation(samples)
    assert np.array_equal(low, flat.min(axis=0)) and np.array_equal(high, flat.max(axis=0))
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(deviation, flat.std(axis=0), rtol=1e-12, atol=1e-12)


def test_a_large_mean_does_not_swallow_a_small_deviation() -> None:
    samples = 1e9 + np.array([[0.0], [1.0], [2.0], [3.0]])
    assert measure.mean_and_deviation(samples)[1] == pytest.approx(np.sqrt(1.25), rel=1e-12)


def test_the_first_number_that_is_not_finite_is_found() -> None:
    samples = np.zeros((9, 2, 3), np.float32)
    assert measure.first_nonfinite_index(samples) is None
    samples[4, 1, 2], samples[6, 0, 0] = np.nan, np.inf
    assert measure.first_nonfinite_index(samples) == (4, 1, 2)
    assert measure.first_nonfinite_index(np.zeros((2, 2), np.int64)) is None


def test_no_float_copy_of_all_samples_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_CHUNK", 2**12)
    samples = np.zeros((2_000, 28, 28, 1), np.uint8)  # 1.6 MB, 12.5 as floats
    tracemalloc.start()
    measure.limits(samples)
    measure.mean_and_deviation(samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < samples.nbytes / 4
