"""Series, told point by point and rolled forward."""

from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.forecasting import forecast, forecasts
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


@pytest.mark.parametrize("stride", [1, 2])
def test_vectors_of_consecutive_windows_follow_each_other_and_roll_on(stride: int) -> None:
    """x[t + h] = a x[t] + b x[t − 1] of a sine without noise, for each h of the vector."""
    data = f"sine window=2 noise=0 frequency=0.3 length=400 horizon=4 predict=all stride={stride}"
    network = nnspec.compile("flatten -> dense 4", data=data, dtype="float64")
    ahead = np.arange(1, 5)
    weight = np.stack([-np.sin(0.3 * ahead), np.sin(0.3 * (ahead + 1))]) / np.sin(0.3)
    network.set_parameters({"dense1/weight": weight, "dense1/bias": np.zeros(4)})
    split = network_data(network).test
    assert split is not None
    told = forecast(network, split)
    assert told.ahead == (1, 4) and len(told.truth) > 60
    series = np.sin(0.3 * np.arange(400))
    start = next(i for i in range(400) if np.allclose(series[i : i + 9], told.truth[:9], atol=1e-12))
    np.testing.assert_allclose(told.truth, series[start : start + len(told.truth)], atol=1e-12)
    np.testing.assert_allclose(told.predicted, told.truth, atol=1e-10)
    assert told.rolled is not None
    np.testing.assert_allclose(told.rolled, told.truth[told.begins :], atol=1e-6)


def test_each_predicted_column_has_its_name_and_dates(tmp_path: Path) -> None:
    hours = np.datetime64("2024-01-01T00:00") + np.arange(24 * 30).astype("timedelta64[h]")
    rows = "".join(f"{hour},{i % 24},{i % 7}\n" for i, hour in enumerate(hours))
    (tmp_path / "s.csv").write_text(f"time,load,wind\n{rows}")
    data = f'csv "{tmp_path / "s.csv"}" target=load, wind window=6 split=70/10/20'
    for options, ahead in (("", (1, 1)), (" horizon=3", (3, 3)), (" horizon=3 predict=all", (1, 3))):
        outputs = 6 if "all" in options else 2
        run = nnspec.train(
            f"flatten -> dense {outputs}\ntrain 1 epochs", tmp_path / f"run{outputs}{ahead}", data=data + options
        )
        split = run.data.test
        assert split is not None
        load, wind = forecasts(run.network, split)
        assert (load.name, wind.name, load.ahead, load.rolled) == ("load", "wind", ahead, None)
        assert load.times is not None
        place = [int(np.flatnonzero(hours == time)[0]) for time in load.times.astype("datetime64[m]")]
        assert load.truth.tolist() == [i % 24 for i in place] and wind.truth.tolist() == [i % 7 for i in place]


def test_what_predicts_no_series_is_told() -> None:
    network = nnspec.compile("dense 10 softmax", data="mnist_sample")
    split = network_data(network).test
    assert split is not None
    with pytest.raises(nnspec.NetworkError, match="does not predict numbers of a series"):
        forecast(network, split)
