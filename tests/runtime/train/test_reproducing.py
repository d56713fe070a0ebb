"""A run is trained again from what it holds: the same bits, whatever it began with and however it ended."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.errors import CheckpointError, DataError, TrainingError
from nnspec.runtime.train import reproducing, resuming
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.reproducing import reproduce
from tests.support.commands import NETWORKS, at_step, networks, write_data, write_spec
from tests.support.commands import nnspec as command

DIVERGING = {"optimizer": "sgd lr=1e30", "data": 'npz "data.npz"', "train.epochs": 3, "train.batch": 4}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with data.npz and a spec for it."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    write_spec(tmp_path, NETWORKS["plain"], "optimizer adam lr=0.05", "schedule plateau patience=0")
    return tmp_path


@pytest.mark.parametrize("network", networks())
def test_a_finished_run_is_repeated_to_the_same_bits(folder: Path, network: str) -> None:
    write_spec(folder, NETWORKS[network], "optimizer momentum lr=0.05", "schedule cosine")
    nnspec.train("net.nnspec", "run", seed=11)
    found = reproduce("run")
    assert found.equal and (found.state, found.step, found.total) == ("finished", 10, 10)
    assert (found.entries, found.weights, found.metrics, found.path) == ((), (), (), None)


def test_settings_variant_dtype_and_seed_are_those_of_the_run(folder: Path) -> None:
    text = (folder / "net.nnspec").read_text()
    (folder / "net.nnspec").write_text(f"{text}variant wide {{\n dense 9 relu -> dense 3 softmax\n}}\n")
    nnspec.train("net.nnspec", "run", {"optimizer.lr": 0.01}, "wide", seed=3, dtype="float64")
    (folder / "net.nnspec").unlink()
    found = nnspec.reproduce("run", "again")
    assert found.equal and found.path == Path("again")
    again = load_run("again/last.h5").network
    assert again.dtype == np.float64 and again.spec.train.seed == 3 and again.spec.optimizer.lr == 0.01


def test_a_run_in_the_middle_of_its_training_is_compared_at_its_step(folder: Path) -> None:
    with at_step(7):
        assert command(folder, "train", "net.nnspec", "--out", "run").exit_code == 130
    found = reproduce("run", "again")
    assert found.equal and (found.state, found.step, found.total) == ("interrupted", 7, 10)
    assert load_run("again/last.h5").state.step == 7
    assert nnspec.resume("again").end["steps"] == 10


def test_a_resumed_run_is_repeated_in_one_go_and_says_where_it_was_resumed(folder: Path) -> None:
    with at_step(7):
        command(folder, "train", "net.nnspec", "--out", "run")
    nnspec.resume("run")
    found = reproduce("run")
    assert found.equal and found.resumed == ((7, ()),)


def test_what_had_changed_when_a_run_was_resumed_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_step(7):
        command(folder, "train", "net.nnspec", "--out", "run")
    here = resuming.environment()
    monkeypatch.setattr(resuming, "environment", lambda: here | {"blas_kernel": "Z80"})
    nnspec.resume("run", allow_inexact=True)
    assert reproduce("run").resumed == ((7, ("blas_kernel",)),)


def test_a_run_resumed_again_and_again_keeps_the_last_resumptions(folder: Path) -> None:
    with at_step(1):
        command(folder, "train", "net.nnspec", "--out", "run", "--set", "train.iterations=40")
    for _ in range(12):
        with at_step(1):
            command(folder, "resume", "run")
    kept = load_run("run/last.h5").run["resumed"]
    assert kept == tuple((step, ()) for step in range(3, 13))
    assert resuming.MOST_RESUMPTIONS == 10


def test_a_diverged_run_diverges_again_at_the_same_step(folder: Path) -> None:
    with pytest.raises(TrainingError):
        nnspec.train("dense 9 relu -> dense 9 relu -> dense 3 softmax", "run", DIVERGING)
    found = reproduce("run")
    assert found.equal and found.state == "diverged" and found.events == ()


def test_a_run_said_to_have_diverged_that_does_not_is_not_equal(folder: Path) -> None:
    nnspec.train("net.nnspec", "run")
    with (folder / "run" / "metrics.jsonl").open("a") as log:
        log.write('{"event": "diverged", "steps": 12, "reason": "the loss is nan"}\n')
    found = reproduce("run")
    assert not found.equal and found.events == ("the run diverged at step 12, the repetition did not",)


def test_a_run_that_began_with_other_weights_begins_with_them_again(folder: Path) -> None:
    nnspec.train("net.nnspec", "first", seed=1)
    nnspec.train("net.nnspec", "second", init_from="first", seed=2)
    shutil.rmtree("first")
    assert reproduce("second").equal
    Path("second/initial.h5").unlink()
    with pytest.raises(CheckpointError, match=r"first/last\.h5: there is no such checkpoint"):
        reproduce("second")


def test_a_run_on_arrays_asks_for_them(folder: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3
    nnspec.train("dense 3 softmax\ntrain 5 iterations", "run", {"data.split": "80/20"}, data=(x, y))
    with pytest.raises(CheckpointError, match=r"nnspec.reproduce\('run/last.h5', data=\(x, y\)\)"):
        reproduce("run")
    assert nnspec.reproduce("run", data=(x, y)).equal
    with pytest.raises(DataError, match="not the data"):
        nnspec.reproduce("run", data=(x + 1, y))


def test_data_that_moved_are_found_and_data_that_are_gone_or_changed_are_refused(folder: Path) -> None:
    nnspec.train("net.nnspec", "run")
    (folder / "data.npz").rename(folder / "run" / "other.npz")
    notes: list[str] = []
    assert reproduce("run", listen=lambda event: notes.append(str(event.get("text")))).equal
    assert any("found by its SHA-256" in note for note in notes)
    (folder / "run" / "other.npz").rename(folder.parent / "elsewhere.npz")
    with pytest.raises(DataError, match=r"No file of .* with its SHA-256"):
        reproduce("run")
    with pytest.raises(DataError, match="not the data"):
        write_data(folder, features=4, samples=40)
        reproduce("run")
    assert nnspec.reproduce("run", data='npz "../elsewhere.npz" split=75/25').equal


def test_a_fold_is_repeated(folder: Path) -> None:
    nnspec.cross_validate("net.nnspec", 3, "folds")
    assert reproduce("folds/fold-2").equal


def test_a_checkpoint_of_another_environment_names_what_differs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nnspec.train("net.nnspec", "run")
    here = reproducing.environment()
    monkeypatch.setattr(reproducing, "environment", lambda: here | {"numpy": "1.0", "python": "2.7"})
    found = reproduce("run")
    assert found.equal
    assert [(change.name, change.after, change.decides) for change in found.environment] == [
        ("numpy", "1.0", True),
        ("python", "2.7", False),
    ]


def test_changed_weights_and_metrics_are_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nnspec.train("net.nnspec", "run", seed=5)
    first = load_run("run/last.h5")
    nnspec.train("net.nnspec", "other", seed=5)
    second = load_run("other/last.h5")
    second.network.parameter_arena["dense1/bias"][0] += 0.5
    second.state.history["loss"].values[-1] += 0.25
    monkeypatch.setattr(reproducing, "load_run", lambda path: second)
    found = reproduce("run")
    assert not found.equal
    assert found.entries == ("history/loss", "weights/dense1/bias")
    assert [(moved.layer, round(moved.distance, 6)) for moved in found.weights] == [("dense1", 0.5)]
    change, before = found.metrics[0], first.state.history["loss"].values[-1]
    assert (change.name, change.before, change.after, change.largest) == ("loss", before, before + 0.25, 0.25)


def test_a_network_without_a_run_has_nothing_to_reproduce(folder: Path) -> None:
    nnspec.train("net.nnspec", "run").network.save("net.h5")
    with pytest.raises(CheckpointError, match="nothing to reproduce"):
        reproduce("net.h5")


def test_the_folder_of_another_run_is_never_written_to(folder: Path) -> None:
    nnspec.train("net.nnspec", "run")
    before = {path.name: path.read_bytes() for path in (folder / "run").iterdir()}
    with pytest.raises(TrainingError, match="already holds a run"):
        reproduce("run", "run")
    assert before == {path.name: path.read_bytes() for path in (folder / "run").iterdir()}
