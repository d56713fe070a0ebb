"""runtime/infer/baseline.py against scikit-learn's dummies and against what can be said in a line of NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.data import Split
from nnspec.runtime.infer.baseline import BASELINES, Baseline, TargetKind, target_kind
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.run import Run

SHORT = {"train.epochs": 1}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))


def trained(spec: str, **given: Any) -> Run:
    """A run of one epoch without files."""
    return api.train(spec, settings=SHORT | given.pop("settings", {}), **given)


def fitted(run: Run) -> Baseline:
    """The baseline of its training split."""
    return Baseline.fit(run.network, run.data.train)


def test_classes_have_the_shares_of_the_training_split_and_its_majority() -> None:
    y, later = RANDOM.choice(4, 60, p=(0.1, 0.6, 0.2, 0.1)), RANDOM.choice(4, 40)
    run = trained("dense 4 softmax", data=(X, y), validation=(RANDOM.normal(size=(40, 3)), later))
    baseline = fitted(run)
    assert run.data.validation is not None
    found = baseline.measure(run.data.validation)
    shares = (np.bincount(y, minlength=4) + 1) / 64
    assert baseline.name == "majority class"
    assert found["accuracy"] == pytest.approx(np.mean(later == np.bincount(y).argmax()))
    assert found["loss"] == pytest.approx(-np.log(shares[later]).mean(), rel=1e-12)


def test_a_class_that_the_training_split_lacks_has_a_finite_loss() -> None:
    y = np.array([0, 1, 2] * 20)
    run = trained("dense 3 softmax", data=(X, y))
    baseline = Baseline.fit(run.network, Split(X[:4], y[:4] % 2))
    assert np.isfinite(baseline.measure(Split(X, y))["loss"])


def test_numbers_have_the_mean_of_the_training_split() -> None:
    y, later = RANDOM.normal(5, 2, (60, 2)), RANDOM.normal(5, 2, (10, 2))
    run = trained("dense 2\nmetrics rmse, r2, mae", data=(X, y), validation=(X[:10], later))
    baseline = fitted(run)
    assert run.data.validation is not None
    found = baseline.measure(run.data.validation)
    assert baseline.name == "mean"
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(later - y.mean(axis=0)).mean()), rel=1e-6)
    scaled = (later - y.mean(axis=0)) / y.std(axis=0)
    assert found["loss"] == pytest.approx(np.square(scaled).mean(), rel=1e-6)
    assert baseline.measure(run.data.train)["r2"] == pytest.approx(0, abs=1e-6)


def test_a_single_sigmoid_has_a_majority_class_and_several_have_one_each() -> None:
    y = (RANDOM.random(60) < 0.3).astype(int)
    run = trained("dense 1 sigmoid", data=(X, y))
    assert fitted(run).name == "majority class"
    assert fitted(run).measure(run.data.train)["accuracy"] == pytest.approx(max(np.mean(y), 1 - np.mean(y)))
    labels = (RANDOM.random((60, 3)) < (0.1, 0.5, 0.8)).astype(float)
    run = trained("dense 3 sigmoid\nloss binary_cross_entropy\nmetrics mae", data=(X, labels))
    baseline, p = fitted(run), (labels.sum(axis=0) + 1) / 62
    entropy = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()
    assert baseline.name == "majority of each label"
    assert baseline.measure(run.data.train)["loss"] == pytest.approx(entropy, rel=1e-9)


def test_several_sigmoids_of_classes_have_the_shares_of_their_classes() -> None:
    y = RANDOM.choice(3, 61, p=(0.1, 0.6, 0.3))
    run = trained("dense sigmoid", data=(np.r_[X, X[:1]], y))
    baseline, p = fitted(run), (np.bincount(y, minlength=3) + 1) / 63
    labels = np.eye(3)[y]
    entropy = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()
    assert baseline.measure(run.data.train)["loss"] == pytest.approx(entropy, rel=1e-6)


def test_text_has_the_frequencies_of_its_symbols_without_the_padding() -> None:
    run = trained("onehot -> rnn 4 return=sequence -> dense 27 softmax\nmetrics accuracy, perplexity", data="dinos")
    baseline, split = fitted(run), run.data.validation
    assert split is not None
    seen, later = run.data.train.targets, split.targets
    shares = (np.bincount(seen[seen >= 0], minlength=27) + 1) / ((seen >= 0).sum() + 27)
    loss = -np.log(shares[later[later >= 0]]).mean()
    found = baseline.measure(split)
    assert found["loss"] == pytest.approx(loss, rel=1e-9) and found["perplexity"] == pytest.approx(np.exp(loss))
    assert found["accuracy"] == pytest.approx(np.mean(later[later >= 0] == shares.argmax()))


def series(tmp_path: Path, values: np.ndarray) -> str:
    """The data statement of a table over time whose target is its second column."""
    rows = "".join(f"{a:.6f},{b:.6f}\n" for a, b in zip(RANDOM.normal(size=len(values)), values, strict=True))
    (tmp_path / "series.csv").write_text(f"other,load\n{rows}")
    return f'csv "{tmp_path / "series.csv"}" target=load'


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_series_has_its_last_value(tmp_path: Path, horizon: int) -> None:
    walk = np.cumsum(RANDOM.normal(size=300))
    data = series(tmp_path, walk) + f" window=8 horizon={horizon}"
    run = trained("gru 2 -> dense 1", data=data, out=tmp_path / "run")
    split = run.data.validation
    assert split is not None
    assert fitted(run).name == "last value"
    expected = np.sqrt(np.mean(np.square(split.inputs[:, -1, 1:] - split.targets)))
    assert fitted(run).measure(split)["rmse"] == pytest.approx(expected, rel=1e-6)


def test_a_series_with_a_season_has_the_value_of_the_season_before(tmp_path: Path) -> None:
    time = np.arange(600)
    load = 30 + 10 * np.sin(2 * np.pi * time / 24) + RANDOM.normal(size=600) * 0.1
    run = trained("gru 2 -> dense 1", data=series(tmp_path, load) + " window=30 horizon=2", out=tmp_path / "run")
    split = run.data.validation
    assert split is not None
    assert fitted(run).name == "value 24 points before"
    expected = np.sqrt(np.mean(np.square(split.inputs[:, -23, 1:] - split.targets)))
    assert fitted(run).measure(split)["rmse"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("window", "ahead"), [(30, 6), (26, 30)])
def test_a_vector_of_points_ahead_has_the_last_season_again(tmp_path: Path, window: int, ahead: int) -> None:
    time = np.arange(700)
    load = 30 + 10 * np.sin(2 * np.pi * time / 24) + RANDOM.normal(size=700) * 0.1
    data = series(tmp_path, load) + f" window={window} horizon={ahead} predict=all"
    run = trained(f"gru 2 -> dense {ahead}", data=data, out=tmp_path / "run")
    split = run.data.validation
    assert split is not None
    assert fitted(run).name == "last 24 values again"
    season = split.inputs[:, -24:, 1]
    expected = np.sqrt(np.mean(np.square(np.concatenate([season, season], axis=1)[:, :ahead] - split.targets)))
    assert fitted(run).measure(split)["rmse"] == pytest.approx(expected, rel=1e-6)


def test_a_series_that_is_predicted_at_every_step_has_the_value_of_that_step(tmp_path: Path) -> None:
    data = "sine window=10 predict=every length=300"
    run = trained("rnn 2 return=sequence -> dense 1", data=data, out=tmp_path / "run")
    split = run.data.validation
    assert split is not None
    expected = np.sqrt(np.mean(np.square(split.inputs - split.targets)))
    assert fitted(run).measure(split)["rmse"] == pytest.approx(expected, rel=1e-6)


def test_numbers_at_every_step_without_a_series_have_their_mean() -> None:
    x, y = RANDOM.normal(size=(20, 5, 2)), RANDOM.normal(3, 1, (20, 5, 2))
    run = trained("rnn 2 return=sequence -> dense 2", data=(x, y))
    assert target_kind(run.network) is TargetKind.NUMBERS
    np.testing.assert_allclose(fitted(run).values, y.mean(axis=(0, 1)), rtol=1e-12)


def test_a_checkpoint_keeps_it_and_refuses_another(tmp_path: Path) -> None:
    y = RANDOM.normal(size=60)
    run = trained("dense 1", data=(X, y), out=tmp_path / "run")
    saved = load_run(tmp_path / "run" / "last.h5")
    assert saved.baseline is not None
    assert saved.baseline.values.tobytes() == fitted(run).values.tobytes()
    assert saved.run["baseline"] == {"name": "mean", "split": "train", **fitted(run).measure(run.data.train)}
    with pytest.raises(ValueError, match="data/baseline"):
        Baseline.stored(run.network, np.zeros(2))


def test_every_kind_of_targets_has_one() -> None:
    assert set(BASELINES) == set(TargetKind)
