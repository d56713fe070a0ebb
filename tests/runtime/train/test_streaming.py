"""A run that reads its samples from a file as it needs them is the run that has them in memory, byte for byte."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import h5py
import numpy as np
import pytest

from nnspec.runtime.data import array_likes, load_data
from nnspec.runtime.data.array_likes import StoredArray
from nnspec.spec_lang.vocabulary.file_sources import Npy
from tests.contracts.runs import SAMPLES, checked, data_for, trained
from tests.support.commands import LENGTH, at_step, differing, lasting, nnspec

NETWORKS = {
    "dropout": "dense 6 relu -> dropout 0.2 -> dense 3 softmax",
    "images": "conv 2x2 x3 pad=same relu -> batchnorm -> maxpool 2 -> dense 3 softmax",
    "augmented": "input 4x4x1\nconv 2x2 x3 relu -> dense 3 softmax\naugment shift=1 flip noise cutout=1",
    "symbols": "reshape 16 -> embed 4 vocab=9 -> rnn 5 -> dense 3 softmax",
}
LENGTHS = {"batches": LENGTH, "single samples": "train 40 iterations batch=1 evaluate_every=20 checkpoint_every=13"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with bytes (36, 4, 4) and their classes, as .npy and as HDF5, whose windows hold five samples."""
    random = np.random.default_rng(0)
    x, y = random.integers(0, 9, (36, 4, 4), dtype=np.uint8), np.arange(36) % 3
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=x, chunks=(5, 4, 4), compression="gzip")
        file["y"] = y
    with patch.object(array_likes.ReadAhead.__init__, "__defaults__", (5 * 16,)):
        yield tmp_path


def write(folder: Path, network: str, data: str, length: str) -> None:
    normalize = " normalize=none" if "embed" in network else ""
    text = f"{network}\ndata {data} split=60/20/20{normalize}\noptimizer adam\n{length}\n"
    (folder / "net.nnspec").write_text(text)


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("data", ['npy "x.npy" y="y.npy"', 'hdf5 "a.h5"'])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_streamed_and_stopped_is_the_run_in_memory_to_the_byte(
    folder: Path, network: str, data: str, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, network, data, length)
    assert nnspec(folder, "train", "net.nnspec", "--out", "memory").exit_code == 0
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    result = nnspec(folder, "train", "net.nnspec", "--out", "streamed")
    assert result.exit_code == 0 and "are read as they are needed" in result.stderr
    with at_step(6):
        assert nnspec(folder, "train", "net.nnspec", "--out", "stopped").exit_code == 130
    assert nnspec(folder, "resume", "stopped").exit_code == 0
    for name in ("streamed", "stopped"):
        assert differing(lasting(folder / "memory"), lasting(folder / name)) == [], name


def test_a_run_begun_in_memory_is_resumed_from_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, NETWORKS["images"], 'hdf5 "a.h5"', LENGTH)
    assert nnspec(folder, "train", "net.nnspec", "--out", "whole").exit_code == 0
    with at_step(3):
        assert nnspec(folder, "train", "net.nnspec", "--out", "parts").exit_code == 130
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    assert nnspec(folder, "resume", "parts", "--verify").exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "parts")) == []


def test_every_verb_that_reads_data_takes_a_stored_split(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, NETWORKS["images"], 'npy "x.npy" y="y.npy"', LENGTH)
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    verbs = [
        ("plan", "net.nnspec", "--json"),
        *(("eval", "run", "--json", "--split", split) for split in ("train", "validation", "test")),
        ("predict", "run", "x.npy", "--json"),
        ("occlude", "run", "--out", "maps", "--baseline", "mean"),
        ("plot", "confusion", "run", "--out", "confusion.png"),
        ("plot", "weights", "run", "--out", "weights.png"),
        ("plot", "curves", "run", "--out", "curves.png"),
    ]
    for verb in verbs:
        in_memory = nnspec(folder, *verb)
        with monkeypatch.context() as patched:
            patched.setenv("NNSPEC_DATA_MEMORY", "0")
            streamed = nnspec(folder, *verb)
        assert in_memory.exit_code == streamed.exit_code == 0, (verb, streamed.output)
        if "--json" in verb and verb[0] != "plan":
            assert in_memory.stdout == streamed.stdout


@pytest.mark.worker
def test_two_processes_train_on_a_stored_split_to_the_bytes_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = checked("input 5 -> dense 4 -> dense 2\noptimizer adam")
    made = data_for(spec)
    np.save(tmp_path / "x.npy", made.train.inputs)
    np.save(tmp_path / "y.npy", made.train.targets)
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    word = Npy(path="x.npy", y="y.npy", split=(100, 0), normalize="none")
    data = load_data(word, tmp_path, False)
    assert isinstance(data.train.inputs, StoredArray) and len(data.train) == SAMPLES
    one = trained(spec, data, monkeypatch, worker=False)
    assert one == trained(spec, data, monkeypatch, worker=True) == trained(spec, made, monkeypatch, worker=True)
