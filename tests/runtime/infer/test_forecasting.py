"""Series, told point by point and rolled forward."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.forecasting import forecast
from nnspec.runtime.train.spec_and_data import network_data


def test_a_window_rolls_on_over_its_own_answers(tmp_path: Path) -> None:
    """Two points of a sine without noise are enough: x[t] = 2 cos(f) x[t − 1] − x[t − 2]."""
    network = nnspec.compile("dense 1", data="sine window=2 noise=0 frequency=0.3 length=400", dtype="float64")
    network.set_parameters({"dense1/weight": np.array([[-1], [2 * np.cos(0.3)]]), "dense1/bias": np.zeros(1)})
    split = network_data(network).test
    assert split is not None
    told = forecast(network, split)
    np.testing.assert_allclose(told.predicted, told.truth, atol=1e-12)
    assert told.rolled is not None and told.begins == len(split) // 4
    np.testing.assert_allclose(told.rolled, told.truth[told.begins :], atol=1e-9)


def test_a_network_of_every_step_sees_the_truth_up_to_the_roll_and_then_itself(tmp_path: Path) -> None:
    data = "data sine window=5 predict=every length=121"
    spec = f"rnn 3 return=sequence -> dense 1\n{data}\ntrain 1 epochs batch=2 stateful=yes"
    run = nnspec.train(spec, out=tmp_path / "a", dtype="float64")
    split = run.data.test
    assert split is not None
    told = forecast(run.network, split)
    assert told.rolled is not None and told.truth.shape == told.predicted.shape == (split.targets.size,)
    assert told.rolled[0] == pytest.approx(told.predicted[told.begins], rel=1e-12)


def test_what_predicts_no_series_is_told() -> None:
    network = nnspec.compile("dense 10 softmax", data="mnist_sample")
    split = network_data(network).test
    assert split is not None
    with pytest.raises(nnspec.NetworkError, match="does not predict a number of a series"):
        forecast(network, split)
