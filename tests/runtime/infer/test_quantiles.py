"""Networks whose outputs are quantiles: in the units of the targets, with a baseline, a band and names."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.forecasting import forecast
from nnspec.runtime.train.spec_and_data import network_data
from nnspec.runtime.views import PICTURES
from tests.support.commands import nnspec as run_nnspec

AT = (0.1, 0.5, 0.9)


def trained(targets: int, samples: int = 600) -> tuple[nnspec.Run, np.ndarray, np.ndarray]:
    """A run on numbers far from 0 whose spread is 10 times the column's number, whatever the sample."""
    random = np.random.default_rng(1)
    x = random.normal(size=(samples, 2)).astype(np.float32)
    y = 1000 + random.normal(size=(samples, targets)) * 10 * np.arange(1, targets + 1)
    lines = "data arrays targets=zscore split=80/20\nloss quantile at=0.1, 0.5, 0.9\noptimizer adam lr=0.01\n"
    spec = f"dense {3 * targets}\n{lines}train 40 epochs batch=32 seed=1 evaluate_every=40"
    return nnspec.train(spec, data=(x, y)), x, y


@pytest.mark.parametrize("targets", [1, 2])
def test_a_share_of_the_targets_is_below_each_quantile(targets: int) -> None:
    run, x, y = trained(targets)
    said = run.network.predict(x).reshape(len(x), targets, 3)
    assert (np.diff(said.mean(axis=0), axis=-1) > 0).all()
    below = (y[:, :, None] <= said).mean(axis=0)  # (targets, quantiles)
    np.testing.assert_allclose(below, np.tile(AT, (targets, 1)), atol=0.06)
    found = nnspec.evaluate(run.network, x, y)
    middle = said[:, :, 1]
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(middle - y))), rel=1e-4)


def test_the_baseline_answers_with_the_quantiles_of_the_training_split() -> None:
    run, _, _ = trained(2)
    train = run.data.train
    baseline = Baseline.fit(run.network, train)
    np.testing.assert_allclose(baseline.values, np.quantile(train.targets, AT, axis=0).T.reshape(-1))
    assert baseline.name == "quantiles of training"
    scaled = (baseline.values.reshape(2, 3) - train.targets.mean(axis=0)[:, None]) / train.targets.std(axis=0)[:, None]
    missing = (train.targets - train.targets.mean(axis=0)) / train.targets.std(axis=0)
    missing = missing[:, :, None] - scaled
    expected = np.maximum(np.array(AT) * missing, (np.array(AT) - 1) * missing).mean()
    assert baseline.measure(train)["loss"] == pytest.approx(expected, rel=1e-6)


def test_a_forecast_has_a_band_and_rolls_on_with_the_middle() -> None:
    spec = "flatten -> dense 3\ndata sine window=4 length=300\nloss quantile at=0.1, 0.5, 0.9\ntrain 5 epochs seed=1"
    run = nnspec.train(spec)
    split = network_data(run.network).test
    assert split is not None
    told = forecast(run.network, split)
    said = run.network.predict(split.inputs)
    assert told.band is not None and told.rolled is not None
    np.testing.assert_allclose(np.stack([told.band[0], told.predicted, told.band[1]], axis=1), said, atol=1e-6)
    assert told.rolled[0] == pytest.approx(told.predicted[told.begins], abs=1e-6)
    figure = PICTURES["predictions"](told.truth, told.predicted, bands=[told.band], band_name="quantiles 0.1 to 0.9")
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "quantiles 0.1 to 0.9" in legend


def test_predict_names_the_quantile_of_each_column(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 2 % 7},{i % 5}\n" for i in range(60))
    table = tmp_path / "a.csv"
    table.write_text(f"x,load,wind\n{rows}")
    spec = f'dense 4\ndata csv "{table}" target=load, wind\nloss quantile at=0.1, 0.9\ntrain 1 epochs'
    nnspec.train(spec, out=tmp_path / "run")
    found = json.loads(run_nnspec(tmp_path, "predict", tmp_path / "run", table, "--json").stdout)
    assert found["columns"] == ["load 0.1", "load 0.9", "wind 0.1", "wind 0.9"]
    assert len(found["predictions"][0]["value"]) == 4


def test_a_dense_layer_without_a_number_has_an_output_for_each_quantile() -> None:
    x, y = np.zeros((20, 2), np.float32), np.zeros((20, 2))
    run = nnspec.train("dense linear\nloss quantile at=0.1, 0.5, 0.9\ntrain 1 epochs", data=(x, y))
    assert run.network.spec.output_shape == (6,)
