"""HDF5 files of the user's own: read from the file itself alone, in memory or as samples are needed."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nnspec.runtime.data import Data, DataError, load_data
from nnspec.runtime.data.array_likes import StoredArray
from nnspec.runtime.data.file_rows import FileRows
from nnspec.runtime.data.sources.hdf5 import DatasetRows
from nnspec.spec_lang.vocabulary.file_sources import Hdf5
from tests.support.special_files import special_files

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 5, 3)).astype(np.float32)
Y = np.arange(40) % 3
COMPRESSED: dict[str, Any] = {"chunks": (7, 2, 3), "compression": "gzip", "shuffle": True}


def save(path: Path, options: dict[str, Any] | None = None, **arrays: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            wanted = options if options and np.ndim(array) == 3 else {}
            file.create_dataset(name.replace("__", "/"), data=array, **wanted)
    return path


def load(path: Path, classification: bool = True, **options: Any) -> Data:
    return load_data(Hdf5(path=path.name, **options), path.parent, classification)


def test_x_and_y_are_split_and_a_test_split_is_taken_as_it_is(tmp_path: Path) -> None:
    data = load(save(tmp_path / "a.h5", x=X, y=Y, x_test=X[:2], y_test=Y[:2]), split=(75, 25))
    assert {role: len(split) for role, split in data.splits()} == {"train": 30, "validation": 10, "test": 2}
    assert isinstance(data.train.inputs, np.ndarray)


def test_datasets_of_other_names_are_found_in_their_groups(tmp_path: Path) -> None:
    path = save(tmp_path / "a.h5", day__x=X, day__y=Y, day__x_test=X, day__y_test=Y)
    assert load(path, x="day/x", y="/day/y").test is not None


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "u1", "?", ">i2", "<f2"])
@pytest.mark.parametrize("options", [None, COMPRESSED, {"chunks": True, "compression": "lzf"}], ids=str)
def test_streamed_data_are_the_data_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, options: dict[str, Any] | None
) -> None:
    x = (X > 0 if dtype == "?" else X * 9).astype(dtype)
    path = save(tmp_path / "a.h5", options, x=x, y=Y)
    in_memory = load(path, split=(60, 20, 20))
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    streamed = load(path, split=(60, 20, 20))
    assert streamed.digest == in_memory.digest and isinstance(streamed.train.inputs, StoredArray)
    reader = streamed.train.inputs._rows
    assert isinstance(reader, FileRows if options is None and dtype != "?" else DatasetRows)
    order = RANDOM.permutation(len(streamed.train))
    assert np.array_equal(streamed.train.inputs[order], in_memory.train.inputs[order])
    np.savez(tmp_path / "a.npz", x=x, y=Y)
    from nnspec.spec_lang.vocabulary.data import Npz

    assert load_data(Npz(path="a.npz", split=(60, 20, 20)), tmp_path, True).digest == in_memory.digest


def test_a_file_with_a_user_block_is_read_from_the_right_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=1024) as file:
        file["x"], file["y"] = X, Y
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    data = load(tmp_path / "a.h5", split=(100, 0))
    assert np.array_equal(data.train.inputs[:], X)


def test_targets_may_be_text(tmp_path: Path) -> None:
    names = [("bird", "cat", "fish")[y] for y in Y]
    for kind, texts in ((h5py.string_dtype(), np.array(names, object)), ("S4", np.array(names, "S4"))):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["x"] = X
            file.create_dataset("y", data=texts, dtype=kind)
        assert load(tmp_path / "a.h5").preprocessing.classes == ("bird", "cat", "fish")


def test_groups_keep_together(tmp_path: Path) -> None:
    data = load(save(tmp_path / "a.h5", x=X, y=Y, patient=np.arange(40) // 4), group="patient")
    assert data.validation is not None and len(data.validation) == 4


def test_a_missing_dataset_lists_what_is_there(tmp_path: Path) -> None:
    path = save(tmp_path / "a.h5", day__images=X, day__y=Y)
    with pytest.raises(DataError, match=r'"day/image": it holds day/images, day/y; did you mean "day/images"'):
        load(path, x="day/image", y="day/y")
    with pytest.raises(DataError, match=r'"day" in .* is a group, which holds images, y: name a dataset'):
        load(path, x="day", y="day/y")
    with pytest.raises(DataError, match=r'no dataset "day/y/z"'):
        load(path, x="day/y/z", y="day/y")


def test_half_a_test_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='has "x_test" and no "y_test"'):
        load(save(tmp_path / "a.h5", x=X, y=Y, x_test=X))


@pytest.mark.parametrize("link", ["soft", "external", "group"])
def test_links_are_not_followed(tmp_path: Path, link: str) -> None:
    save(tmp_path / "other.h5", x=X)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["y"], file["real/x"] = Y, X
        if link == "soft":
            file["x"] = h5py.SoftLink("/real/x")
        elif link == "external":
            file["x"] = h5py.ExternalLink("other.h5", "/x")
        else:
            file["far"] = h5py.ExternalLink("other.h5", "/")
    with pytest.raises(DataError, match=r"a link to .*, and links are not followed"):
        load(tmp_path / "a.h5", x="far/x" if link == "group" else "x")


def test_numbers_in_other_files_are_not_read(tmp_path: Path) -> None:
    save(tmp_path / "other.h5", x=X)
    (tmp_path / "raw").write_bytes(X.tobytes())
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["y"] = Y
        layout = h5py.VirtualLayout(X.shape, X.dtype)
        layout[...] = h5py.VirtualSource(tmp_path / "other.h5", "x", X.shape)
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("raw", X.shape, X.dtype, external=[(str(tmp_path / "raw"), 0, X.nbytes)])
    for name in ("virtual", "raw"):
        with pytest.raises(DataError, match="are in other files, which are not read"):
            load(tmp_path / "a.h5", x=name)


def test_a_shape_that_was_never_written_allocates_nothing(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["y"] = Y
        file.create_dataset("x", (2**40, 2**10), "f4", chunks=(1, 2**10))
        file.create_dataset("z", (2**40,), "f4")
    for name in ("x", "z"):
        with pytest.raises(DataError, match="was never written, or is damaged"):
            load(tmp_path / "a.h5", x=name)


def test_what_is_no_array_of_numbers_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["y"], file["one"], file["text"] = Y, 3.0, np.array([b"a", b"b"])
        file["pair"] = np.zeros(3, [("a", "f4"), ("b", "i4")])
        file["none"] = h5py.Empty("f4")
        file["kind"] = np.dtype("f4")
    for name, wanted in {
        "one": "a single value",
        "none": "a single value",
        "text": "must be numbers",
        "pair": "must be numbers",
        "kind": "is a type",
    }.items():
        with pytest.raises(DataError, match=wanted):
            load(tmp_path / "a.h5", x=name)
    with pytest.raises(DataError, match="targets must be numbers or text"):
        load(save(tmp_path / "b.h5", x=X, y=np.zeros(40, [("a", "f4")])))


def test_other_files_are_told_and_pipes_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(DataError, match=r"a\.npy is not an HDF5 file: it seems to be a NumPy array"):
        load(tmp_path / "a.npy")
    with pytest.raises(DataError, match="there is no file"):
        load(tmp_path / "none.h5")
    for special in special_files(tmp_path):
        with pytest.raises(DataError, match=r"cannot be read|is a folder"):
            load_data(Hdf5(path=str(special)), tmp_path, True)


@pytest.mark.parametrize("limit", ["0", "1024"])
def test_a_damaged_file_is_an_error_of_the_data_or_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", limit)
    content = save(tmp_path / "a.h5", COMPRESSED, x=X, y=Y).read_bytes()
    for place in range(0, len(content), 29):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        for name, made in (("flipped.h5", bytes(damaged)), ("cut.h5", content[:place])):
            (tmp_path / name).write_bytes(made)
            try:
                data = load(tmp_path / name)
                len(data.train.inputs[:])
            except DataError as error:
                assert name in str(error)
