"""Calibration by hand."""

import numpy as np
import pytest

from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.calibration import calibration


def test_the_error_is_the_mean_gap_weighted_by_samples() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    found = calibration(p, np.array([0, 0, 1, 1]), bins=10)
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 3, 0]
    assert found.accuracy[8] == pytest.approx(2 / 3) and found.confidence[5] == pytest.approx(0.6)
    assert found.error == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.4)
    assert found.gap == pytest.approx(0.75 * (0.9 - 2 / 3) - 0.25 * 0.4)


def test_samples_drawn_by_their_own_probabilities_are_calibrated() -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(4), 20000)
    labels = (p.cumsum(1) > random.uniform(size=(20000, 1))).argmax(1)
    assert calibration(p, labels).error < 0.015
    assert calibration(p**0.3 / (p**0.3).sum(1, keepdims=True), labels).gap < -0.05


def test_a_certain_network_is_in_the_last_bin_and_no_samples_are_refused() -> None:
    assert calibration(np.array([[1.0, 0.0]]), np.array([0])).counts[-1] == 1
    with pytest.raises(NetworkError, match="no samples"):
        calibration(np.zeros((0, 2)), np.zeros(0, int))
