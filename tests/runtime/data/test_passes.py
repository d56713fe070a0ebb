"""Data that are described and not trained on: passed over a block at a time, with the same numbers as in memory."""

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from nnspec.runtime.data.array_likes import is_stored, read_in_passes
from nnspec.runtime.errors import DataError
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.spec_lang.check.spec_request import Request
from tests.support.commands import nnspec

SOURCES = {
    "npy": 'npy "x.npy" y="y.npy"',
    "npz": 'npz "a.npz"',
    "hdf5": 'hdf5 "a.h5"',
    "idx": 'idx "x.idx" labels="y.idx"',
}
SPEC = "flatten -> dense 4 softmax\ndata {} normalize=zscore split=70/20/10 seed=3\ntrain 2 iterations\n"


def write_idx(path: Path, array: np.ndarray) -> None:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    kind = {"u1": 0x08, "f4": 0x0D}[array.dtype.str[1:]]
    path.write_bytes(bytes([0, 0, kind, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes())


def write(folder: Path, kind: str, x: np.ndarray, y: np.ndarray) -> None:
    """The samples and their labels in a file, or two, of a kind, and net.nnspec that names them."""
    if kind == "npy":
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
    elif kind == "npz":
        np.savez(folder / "a.npz", x=x, y=y)
    elif kind == "idx":
        write_idx(folder / "x.idx", x)
        write_idx(folder / "y.idx", y)
    else:
        with h5py.File(folder / "a.h5", "w") as file:
            file["x"], file["y"] = x, y
    (folder / "net.nnspec").write_text(SPEC.format(SOURCES[kind]))


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("dtype", ["u1", "f4"])
def test_data_that_are_passed_over_are_those_in_memory(
    kind: str, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    write(tmp_path, kind, random.integers(0, 255, (300, 6, 5)).astype(dtype), np.arange(300, dtype=np.uint8) % 4)
    monkeypatch.chdir(tmp_path)
    request = Request((tmp_path / "net.nnspec").read_text())
    _, whole = check_with_data(request)
    with read_in_passes(0):
        _, passed = check_with_data(request)
    assert is_stored(passed.train.inputs) and not is_stored(whole.train.inputs)
    assert passed.digest == whole.digest and passed.notes == whole.notes
    np.testing.assert_array_equal(passed.preprocessing.shift, whole.preprocessing.shift)
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    _, streamed = check_with_data(request)
    assert streamed.digest == whole.digest
    assert "are read as they are needed" in streamed.notes[0]


@pytest.mark.parametrize("kind", SOURCES)
def test_plan_allocates_less_than_half_of_the_file(kind: str, tmp_path: Path) -> None:
    x = np.zeros((20_000, 40, 80), np.uint8)  # 64 MB
    x[::7] = 3
    write(tmp_path, kind, x, np.arange(20_000, dtype=np.uint8) % 4)
    size = x.nbytes
    del x
    tracemalloc.start()
    try:
        result = nnspec(tmp_path, "plan", "net.nnspec")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.exit_code == 0, result.output
    assert "14,000" in result.output
    assert peak < size / 2


def test_a_damaged_archive_is_found_where_it_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "npz", np.zeros((300, 6, 5), np.float32), np.arange(300, dtype=np.uint8) % 4)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[5000] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with read_in_passes(0), pytest.raises(DataError, match="is damaged"):
        check_with_data(Request((tmp_path / "net.nnspec").read_text()))


def test_a_compressed_archive_and_one_in_fortran_order_are_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = np.random.default_rng(1).normal(size=(60, 6, 5)), np.arange(60) % 4
    monkeypatch.chdir(tmp_path)
    digests = []
    for save, samples in ((np.savez, x), (np.savez_compressed, x), (np.savez, np.asfortranarray(x))):
        save(tmp_path / "a.npz", x=samples, y=y)
        with read_in_passes(0):
            digests.append(check_with_data(Request(SPEC.format(SOURCES["npz"])))[1].digest)
    assert len(set(digests)) == 1
