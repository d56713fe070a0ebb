"""What a run's checkpoint holds beside its numbers."""

import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from nnspec import checkpoints
from nnspec.runtime.infer.evaluation import evaluate
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.spec_and_data import spec_data
from tests.support.commands import at_step, nnspec, write_data, write_spec

RUN = ("dense 6 relu -> dropout 0.2 -> batchnorm -> dense 3 softmax", "optimizer momentum", "schedule plateau")
NET = '# how it is put together\ninclude "parts/base.nnspec"\ndense 4 relu -> dense 3 softmax\n'
BASE = '# größe\ninclude "data.nnspec"\ntrain 6 iterations batch=8\n'
DATA = 'data npz "data.npz" split=75/25\n'


def texts(file: Path) -> dict[str, str]:
    entries = checkpoints.read(file).entries
    return {name: text for name, text in entries.items() if name.startswith("spec/") and isinstance(text, str)}


def test_the_texts_that_a_spec_includes_are_kept_as_they_were_written(tmp_path: Path) -> None:
    """Going on needs none of these files, and saves them again all the same."""
    write_data(tmp_path)
    (tmp_path / "parts").mkdir()
    for name, text in (("net.nnspec", NET), ("parts/base.nnspec", BASE), ("parts/data.nnspec", DATA)):
        (tmp_path / name).write_text(text)
    with at_step(2):
        stopped = nnspec(tmp_path, "train", "net.nnspec", "--out", "run")
    assert stopped.exit_code == 130, stopped.stderr
    before = texts(tmp_path / "run" / "last.h5")
    assert before["spec/source"] == NET
    assert json.loads(before["spec/included"]) == {"parts/base.nnspec": BASE, "parts/data.nnspec": DATA}
    assert "include" not in before["spec/resolved"]
    (tmp_path / "parts" / "base.nnspec").write_text("train 99 epochs")
    (tmp_path / "net.nnspec").unlink()
    assert nnspec(tmp_path, "resume", "run").exit_code == 0
    assert texts(tmp_path / "run" / "last.h5") == before


def test_where_and_when_a_run_was_is_told_under_run_and_decides_nothing(tmp_path: Path) -> None:
    write_data(tmp_path)
    write_spec(tmp_path, *RUN)
    assert nnspec(tmp_path, "train", "net.nnspec", "--out", "run").exit_code == 0
    saved = checkpoints.read(tmp_path / "run" / "last.h5")
    told = json.loads(str(saved.entries["run/info"]))
    assert (told["folder"], told["host"]) == ("..", socket.gethostname())
    assert told["seconds"] > 0 and told["saved"] > 1.7e9
    assert told["blas_threads"] >= 1 and told["processors"] == os.cpu_count()
    assert not {"host", "processors", "blas_threads"} & {*saved.meta, *saved.meta["environment"]}


V1 = Path(checkpoints.__file__).parents[1] / "tests" / "checkpoints" / "data" / "run-v1.h5"


def make_run(path: str, folder: str) -> None:
    """How run-v1.h5 was made: a run stopped after step 7 of 10, with nothing in it of the machine's name and clock."""
    write_data(Path(folder))
    write_spec(Path(folder), *RUN)
    with at_step(7):
        assert nnspec(Path(folder), "train", "net.nnspec", "--out", "run").exit_code == 130
    made = checkpoints.read(Path(folder) / "run" / "last.h5")
    info = {"run/info": json.dumps({"folder": "..", "seconds": 1.0})}
    Path(path).write_bytes(checkpoints.to_bytes(checkpoints.Checkpoint(made.meta, {**made.entries, **info})))


def test_a_run_of_version_1_is_read_measures_what_it_measured_then_and_goes_on(tmp_path: Path) -> None:
    write_data(tmp_path)
    write_spec(tmp_path, *RUN)
    (tmp_path / "run").mkdir()
    shutil.copy(V1, tmp_path / "run" / "last.h5")
    saved = load_checkpoint(tmp_path / "run" / "last.h5")
    best = saved.state.best
    assert best is not None and saved.state.step == 7
    saved.network.parameter_arena.flat[:] = best.weights
    saved.network.buffer_arena.flat[:] = best.buffers
    validation = spec_data(saved.network.spec).validation
    assert validation is not None
    assert evaluate(saved.network, validation, "")["loss"] == pytest.approx(best.value, rel=1e-5)
    assert nnspec(tmp_path, "resume", "run", "--allow-inexact").exit_code == 0
    assert load_checkpoint(tmp_path / "run" / "last.h5").state.step == 10
