"""Cross-validation: a run for each fold, going on where it stopped, and what it reports."""

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec

SPEC = "dense 6 relu -> dense 2 softmax\ntrain 3 epochs batch=8"


def data() -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 3))
    return x, (x[:, 0] > 0).astype(int)


def test_each_sample_is_validated_once_and_metrics_are_over_the_folds() -> None:
    x, y = data()
    result = nnspec.cross_validate(SPEC, 4, data=(x, y))
    rows = [run.data.validation.inputs for run in result.runs if run.data.validation is not None]
    assert sorted(np.concatenate(rows)[:, 0].tolist()) == sorted(x[:, 0].tolist())
    for run in result.runs:
        assert run.data.validation is not None and len(run.data.train) + len(run.data.validation) == 40
    values = [run.end["validation_accuracy"] for run in result.runs]
    found = result.metrics["validation_accuracy"]
    assert found.values == tuple(values)
    assert (found.mean, found.deviation) == (statistics.fmean(values), statistics.stdev(values))
    assert result.path is None


def test_a_fold_is_the_run_that_the_data_statement_names(tmp_path: Path) -> None:
    x, y = data()
    np.savez(tmp_path / "a.npz", x=x, y=y)
    spec = tmp_path / "net.nnspec"
    spec.write_text(f'{SPEC}\ndata npz "a.npz" split=70/15/15 stratified=yes\n')
    result = nnspec.cross_validate(spec, 3, tmp_path / "folds")
    alone = nnspec.train(spec, tmp_path / "alone", settings={"data.folds": 3, "data.fold": 2})
    assert alone.data.digest == result.runs[1].data.digest
    for name, value in alone.network.parameters.items():
        assert np.array_equal(value, result.runs[1].network.parameters[name])
    assert {len(run.data.test) for run in result.runs if run.data.test is not None} == {6}
    assert sorted(path.name for path in (tmp_path / "folds").iterdir()) == ["fold-1", "fold-2", "fold-3", "folds.json"]
    content = json.loads((tmp_path / "folds" / "folds.json").read_text())
    assert content["metrics"]["test_loss"]["mean"] == pytest.approx(result.metrics["test_loss"].mean)


def test_a_stopped_cross_validation_goes_on_and_ends_as_one_that_did_not(tmp_path: Path) -> None:
    x, y = data()
    whole = nnspec.cross_validate(SPEC, 3, tmp_path / "whole", data=(x, y))
    begun: list[str] = []

    def stop(event: dict[str, Any]) -> None:
        begun.append(event["event"])
        if event["event"] == "evaluation" and begun.count("start") == 2 and event["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nnspec.cross_validate(SPEC, 3, tmp_path / "cut", data=(x, y), listen=stop)
    again = nnspec.cross_validate(SPEC, 3, tmp_path / "cut", data=(x, y))
    for one, other in zip(whole.runs, again.runs, strict=True):
        assert all(np.array_equal(v, other.network.parameters[k]) for k, v in one.network.parameters.items())
    assert whole.metrics == again.metrics


def test_a_folder_of_another_spec_is_refused_and_so_are_impossible_folds(tmp_path: Path) -> None:
    x, y = data()
    nnspec.cross_validate(SPEC, 2, tmp_path / "a", data=(x, y))
    with pytest.raises(nnspec.TrainingError, match="holds the folds of another spec"):
        nnspec.cross_validate(SPEC.replace("6", "7"), 2, tmp_path / "a", data=(x, y))
    (tmp_path / "a" / "folds.json").write_text("[1")
    with pytest.raises(nnspec.TrainingError, match="holds the folds of another spec"):
        nnspec.cross_validate(SPEC, 2, tmp_path / "a", data=(x, y))
    with pytest.raises(nnspec.DataError, match="1 folds: write 2 to"):
        nnspec.cross_validate(SPEC, 1, data=(x, y))
    with pytest.raises(nnspec.DataError, match="too few samples for 41 folds"):
        nnspec.cross_validate(SPEC, 41, data=(x, y))


def test_training_a_spec_that_asks_for_folds_names_what_trains_them(tmp_path: Path) -> None:
    x, y = data()
    np.savez(tmp_path / "a.npz", x=x, y=y)
    spec = tmp_path / "net.nnspec"
    spec.write_text(f'{SPEC}\ndata npz "a.npz" folds=3\n')
    with pytest.raises(nnspec.DataError, match=r"asks for 3 folds: nnspec\.cross_validate trains all of them"):
        nnspec.train(spec, tmp_path / "run")
    run = nnspec.train(spec, tmp_path / "run", settings={"data.fold": 1})
    assert run.data.validation is not None and len(run.data.validation) == 14
