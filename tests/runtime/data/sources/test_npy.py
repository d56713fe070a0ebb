"""NumPy arrays in files of their own, in memory or read as they are needed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import Data, DataError, load_data
from nnspec.runtime.data.array_likes import StoredArray
from nnspec.runtime.data.sources.npy import open_array
from nnspec.spec_lang.vocabulary.file_sources import Npy

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 5, 3)).astype(np.float32)
Y = np.arange(40) % 3


def save(folder: Path, **arrays: Any) -> Path:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def load(folder: Path, classification: bool = True, **options: Any) -> Data:
    return load_data(Npy(path="x.npy", y="y.npy", **options), folder, classification)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "u1", "?", "<i2", "<f2"])
@pytest.mark.parametrize("options", [{}, {"split": (60, 20, 20)}, {"by": "time", "normalize": "minmax"}])
def test_streamed_data_are_the_data_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, options: dict[str, Any]
) -> None:
    save(tmp_path, x=(X > 0 if dtype == "?" else X * 9).astype(dtype), y=Y)
    in_memory = load(tmp_path, **options)
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    streamed = load(tmp_path, **options)
    assert isinstance(streamed.train.inputs, StoredArray) and streamed.digest == in_memory.digest
    for a, b in ((in_memory, streamed), (streamed, in_memory)):
        assert [name for name, _ in a.splits()] == [name for name, _ in b.splits()]
    for (_, one), (_, other) in zip(in_memory.splits(), streamed.splits(), strict=True):
        assert np.array_equal(one.inputs, other.inputs[:]) and np.array_equal(one.targets, other.targets)
    for name, value in in_memory.preprocessing.as_entries().items():
        assert np.array_equal(value, streamed.preprocessing.as_entries()[name]), name


def test_a_test_split_may_come_from_files_of_its_own(tmp_path: Path) -> None:
    save(tmp_path, x=X, y=Y, x2=X[:7], y2=Y[:7])
    data = load(tmp_path, test="x2.npy", test_y="y2.npy", split=(75, 25))
    assert {role: len(split) for role, split in data.splits()} == {"train": 30, "validation": 10, "test": 7}


def test_groups_come_from_a_file_of_their_own(tmp_path: Path) -> None:
    save(tmp_path, x=X, y=Y, g=np.arange(40) // 4)
    data = load(tmp_path, group="g.npy", split=(75, 25))
    held = data.validation
    assert held is not None and len(held) % 4 == 0


def test_a_note_says_that_samples_are_read_as_they_are_needed(tmp_path: Path, streamed: None) -> None:
    save(tmp_path, x=X, y=Y)
    assert load(tmp_path).notes == (
        "x.npy: 0 MB of samples are read as they are needed; 0 MB may be in memory, set by NNSPEC_DATA_MEMORY",
    )


def test_a_number_that_is_not_finite_is_named_in_a_streamed_file_too(tmp_path: Path, streamed: None) -> None:
    bad = X.copy()
    bad[17, 2, 1] = np.nan
    save(tmp_path, x=bad, y=Y)
    with pytest.raises(DataError, match=r"x\.npy, sample 17 .*has nan at \[2, 1\]"):
        load(tmp_path)


def test_fortran_order_is_read_into_memory_and_refused_where_it_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, x=np.asfortranarray(X))
    assert np.array_equal(open_array(tmp_path / "x.npy"), X)
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    with pytest.raises(DataError, match=r"save np\.ascontiguousarray"):
        open_array(tmp_path / "x.npy")


@pytest.mark.parametrize("limit", ["0", "1024"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", limit)
    save(tmp_path, x=X[:4])
    content = (tmp_path / "x.npy").read_bytes()
    for end in range(0, len(content), 7):
        (tmp_path / "cut.npy").write_bytes(content[:end])
        with pytest.raises(DataError, match=r"cut\.npy"):
            open_array(tmp_path / "cut.npy")


def test_a_header_larger_than_the_file_allocates_nothing(tmp_path: Path) -> None:
    header = str({"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)}).encode().ljust(117) + b"\n"
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64))
    with pytest.raises(DataError, match="is cut off: its header announces"):
        open_array(tmp_path / "x.npy")


def test_a_header_with_an_odd_shape_is_an_error_of_the_data(tmp_path: Path) -> None:
    for shape in ("(-4, 2)", "(4, -2)", "(4.0, 2)", "(True, 2)", "'a'", "(4,)*10**6", "((4,),)"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode().ljust(117) + b"\n"
        (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64))
        with pytest.raises(DataError, match=r"x\.npy"):
            open_array(tmp_path / "x.npy")


def test_objects_are_never_unpickled_and_other_files_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(DataError, match="holds Python objects"):
        open_array(tmp_path / "x.npy")
    np.savez(tmp_path / "a.npz", x=X)
    with pytest.raises(DataError, match=r"a\.npz is not a NumPy array \(\.npy\): it seems to be a zip archive"):
        open_array(tmp_path / "a.npz")


def test_targets_of_another_length_are_refused(tmp_path: Path, streamed: None) -> None:
    save(tmp_path, x=X, y=Y[:30])
    with pytest.raises(DataError, match=r"x\.npy has 40 samples and 30 targets"):
        load(tmp_path)
