"""A sweep in this process: what is trained, kept, resumed, refused and reported."""

import csv
import json
import shutil
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import nnspec
from nnspec.runtime.errors import Interrupted, TrainingError
from nnspec.runtime.sweep import work
from tests.runtime.sweep.conftest import TEXT, Sweep, document, states, weights
from tests.support.commands import at_step

GRID = "sweep optimizer.lr = 0.1, 0.01"
ODD_NAME = '{"format_version": 1, "asked": {"spec": "x", "folder": ".", "seeds": []}, "trials": [{"name": "../x"}]}'


def test_each_trial_is_the_run_that_train_makes(sweep: Sweep) -> None:
    found = sweep(GRID, seeds=(1, 2))
    assert states(found) == dict.fromkeys(
        ("lr=0.1,seed=1", "lr=0.1,seed=2", "lr=0.01,seed=1", "lr=0.01,seed=2"), "done"
    )
    run = nnspec.train("net.nnspec", "alone", {"optimizer.lr": 0.01}, seed=2)
    alone = b"".join(array.tobytes() for array in run.network.parameters.values())
    assert weights(found)["lr=0.01,seed=2"] == alone
    assert found.trials[3].metrics["validation_accuracy"] == run.end["validation_accuracy"]
    assert found.trials[3].path == Path("sweeps/net/trials/lr=0.01,seed=2")


def test_the_folder_says_what_came_of_each_trial(sweep: Sweep) -> None:
    found = sweep(GRID, seeds=(1, 2))
    kept = document(found)
    assert [trial["name"] for trial in kept["trials"]] == [trial.name for trial in found.trials]
    assert {"name", "variant", "settings", "seed", "state", "metrics", "out"} <= kept["trials"][0].keys()
    assert kept["ranking"] == [rank.as_json() for rank in found.ranking]
    rows = list(csv.DictReader((found.path / "sweep.csv").read_text().splitlines()))
    assert [row["optimizer.lr"] for row in rows] == ["0.1", "0.1", "0.01", "0.01"]
    assert [row["seed"] for row in rows] == ["1", "2", "1", "2"]
    assert float(rows[0]["validation_accuracy"]) == found.trials[0].metrics["validation_accuracy"]
    assert (found.path / "spec.nnspec").read_text() == Path("net.nnspec").read_text()


def test_the_best_trial_is_at_hand(sweep: Sweep) -> None:
    found = sweep(GRID, seeds=(1, 2))
    assert found.best.trial.group == found.ranking[0].name
    assert found.network().parameters.keys() == {"dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias"}
    with pytest.raises(TrainingError, match="the sweep has no trial nobody"):
        found.network("nobody")


def test_finished_trials_are_kept_and_new_seeds_and_values_are_trained(sweep: Sweep) -> None:
    first = sweep(GRID, seeds=(1,))
    before = {trial.name: (trial.path / "last.h5").stat().st_mtime_ns for trial in first.trials}
    again = sweep(f"# now with one more\n{GRID}, 1", seeds=(1, 2))
    trained = [event["name"] for event in sweep.events if event["event"] == "trial"]
    assert trained == ["lr=0.1,seed=2", "lr=0.01,seed=2", "lr=1,seed=1", "lr=1,seed=2"]
    assert len(again.trials) == 6
    assert {name: (again.path / "trials" / name / "last.h5").stat().st_mtime_ns for name in before} == before


def test_the_folder_alone_goes_on_with_the_spec_as_it_was(sweep: Sweep) -> None:
    found = sweep(GRID, settings={"train.iterations": 4}, seeds=(1,))
    expected = weights(found)
    shutil.rmtree(found.path / "trials" / "lr=0.1,seed=1")
    Path("net.nnspec").write_text(f"{TEXT}optimizer sgd\n{GRID}\n")
    again = sweep(on="sweeps/net")
    assert weights(again) == expected
    warnings = [event["text"] for event in sweep.events if event["event"] == "warning"]
    assert len(warnings) == 1 and warnings[0].startswith("net.nnspec was edited after the sweep began")


def test_a_changed_spec_is_refused_with_the_trial_that_it_contradicts(sweep: Sweep) -> None:
    sweep(GRID)
    with pytest.raises(TrainingError, match=r"the spec has changed since sweeps/net began: lr=0\.1,seed=0 was another"):
        sweep(f"optimizer sgd\n{GRID}")
    with pytest.raises(TrainingError, match="the spec has changed"):
        sweep(GRID, settings={"train.iterations": 5})


@pytest.mark.parametrize("step", [1, 3, 4, 9, 11, 19])
def test_a_sweep_that_is_stopped_at_any_step_ends_with_the_weights_of_one_that_was_not(sweep: Sweep, step: int) -> None:
    expected = weights(sweep(GRID, out="whole"))
    said = r"stopped with [01] of 2 trials at their end: nnspec sweep cut goes on"
    with at_step(step), pytest.raises(Interrupted, match=said):
        sweep(out="cut")
    kept = json.loads(Path("cut/sweep.json").read_text())
    assert "interrupted" in {trial["state"] for trial in kept["trials"]}
    assert weights(sweep(on="cut")) == expected


def test_without_sweep_json_of_the_last_moment_the_runs_say_what_came_of_them(sweep: Sweep) -> None:
    found = sweep(GRID)
    kept = document(found)
    for trial in kept["trials"]:
        trial.update(state="pending", metrics={}, steps=0)
    (found.path / "sweep.json").write_text(json.dumps(kept))
    with patch.object(work, "_train", side_effect=AssertionError):
        again = sweep(GRID)
    assert [trial.metrics for trial in again.trials] == [trial.metrics for trial in found.trials]


def test_trials_that_diverge_or_fail_are_reported_and_the_others_go_on(sweep: Sweep) -> None:
    found = sweep('sweep optimizer.lr = 1e39, 0.1\nvariant a { init he }\nvariant b { data npz "none.npz" }')
    assert states(found) == {
        "a,lr=1e+39,seed=0": "diverged",
        "a,lr=0.1,seed=0": "done",
        "b,lr=1e+39,seed=0": "failed",
        "b,lr=0.1,seed=0": "failed",
    }
    assert found.failed
    assert "none.npz" in str(found.trials[2].error)
    assert str(found.trials[0].error).startswith("training diverged at step ")
    again = sweep()
    tried = [event["name"] for event in sweep.events if event["event"] == "trial"]
    assert tried == ["b,lr=1e+39,seed=0", "b,lr=0.1,seed=0"]
    assert states(again) == states(found)


def test_a_fault_of_a_trial_does_not_end_the_sweep(sweep: Sweep) -> None:
    with patch.object(work, "train", side_effect=ZeroDivisionError("odd")):
        found = sweep(GRID)
    assert set(states(found).values()) == {"failed"}
    assert "ZeroDivisionError: odd" in str(found.trials[0].error)


def test_data_in_memory_are_swept_and_resumed(sweep: Sweep) -> None:
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    y = np.arange(40) % 3
    text = "network given\ndense 3 softmax\ntrain 6 iterations batch=8\nsweep optimizer.lr = 0.1, 0.01"
    Path("given.nnspec").write_text(text)
    expected = weights(sweep(on="given.nnspec", data=(x, y), out="whole"))
    with at_step(4), pytest.raises(Interrupted, match=r"nnspec\.sweep\('cut', data=\(x, y\)\) goes on"):
        sweep(on="given.nnspec", data=(x, y), out="cut")
    with pytest.raises(TrainingError, match="cut swept arrays"):
        sweep(on="cut")
    assert weights(sweep(on="cut", data=(x, y))) == expected


def test_another_metric_may_rank_and_one_that_is_not_measured_is_refused(sweep: Sweep) -> None:
    found = sweep(GRID, metric="validation_loss")
    assert found.metric == "validation_loss"
    assert [rank.mean for rank in found.ranking] == sorted(rank.mean or 0 for rank in found.ranking)
    with pytest.raises(TrainingError, match="the trials do not measure accuracy: use loss, validation_loss"):
        sweep(GRID, metric="accuracy")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "sweep.json cannot be read"),
        ('{"format_version": 99}', "was written by a later version"),
        (ODD_NAME, "is not the name of a trial"),
        ("[]", "sweep.json cannot be read"),
    ],
)
def test_a_damaged_sweep_json_is_refused_in_words(sweep: Sweep, content: str, said: str) -> None:
    Path("bad").mkdir()
    Path("bad/sweep.json").write_text(content)
    with pytest.raises(TrainingError, match=said):
        sweep(GRID, out="bad")


def test_a_folder_without_a_sweep_is_refused(sweep: Sweep) -> None:
    Path("other").mkdir()
    Path("other/letter.txt").write_text("mine")
    with pytest.raises(TrainingError, match="other is not a sweep"):
        sweep(on="other")
    with pytest.raises(TrainingError, match="other is not empty"):
        sweep(GRID, out="other")


def test_a_spec_that_asks_for_folds_is_refused_with_what_to_write(sweep: Sweep) -> None:
    with pytest.raises(nnspec.DataError, match=r"the spec asks for 5 folds: sweep data\.fold"):
        sweep(GRID, settings={"data.folds": 5})


def test_a_second_sweep_of_the_same_folder_waits_for_nothing_and_is_refused(sweep: Sweep) -> None:
    from nnspec.runtime.train.checkpointing import run_lock

    sweep(GRID)
    with run_lock(Path("sweeps/net")), pytest.raises(nnspec.CheckpointError, match="another process"):
        sweep(GRID)


def test_the_curves_of_all_trials_are_drawn_into_one_picture(sweep: Sweep) -> None:
    from nnspec._sweep_pictures import draw_curves

    found = sweep("sweep optimizer.lr = 0.1, 1e39")
    picture = draw_curves(found)
    assert picture == Path("sweeps/net/pictures/curves.png")
    assert picture.read_bytes().startswith(b"\x89PNG")
