"""NumPy archives of the user's own."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import Data, DataError, load_data
from nnspec.spec_lang.vocabulary.data import Npz

X, Y = np.arange(24.0).reshape(8, 3), np.array([0, 1, 2, 0, 1, 2, 0, 1])


def load(path: Path, classification: bool = True, **options: Any) -> Data:
    return load_data(Npz(path=path.name, **options), path.parent, classification)


def test_x_and_y_are_split_and_a_test_split_is_taken_as_it_is(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, x_test=X[:2] + 100, y_test=Y[:2])
    data = load(tmp_path / "a.npz", split=(75, 25))
    assert {role: len(split) for role, split in data.splits()} == {"train": 6, "validation": 2, "test": 2}
    assert data.test is not None and np.array_equal(data.test.inputs, X[:2] + 100)


def test_arrays_of_other_names_are_found_with_their_test_split(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=X, labels=Y, images_test=X, labels_test=Y)
    data = load(tmp_path / "a.npz", x="images", y="labels")
    assert data.test is not None and len(data.test) == 8


def test_a_third_share_is_refused_where_a_test_split_is_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, x_test=X, y_test=Y)
    with pytest.raises(DataError, match=r"a\.npz has a test split of its own"):
        load(tmp_path / "a.npz", split=(60, 20, 20))


def test_a_missing_array_names_the_one_most_likely_meant(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=X, y=Y)
    with pytest.raises(DataError, match=r'no array "images": it holds image, y; did you mean "image"'):
        load(tmp_path / "a.npz", x="images")


def test_half_a_test_split_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y, x_test=X)
    with pytest.raises(DataError, match='has "x_test" and no "y_test"'):
        load(tmp_path / "a.npz")


class Bomb:
    """What an attacker would pickle: unpickling it would raise."""

    def __reduce__(self) -> Any:
        return (int, ("the bomb went off",))


def test_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([Bomb(), Bomb()], object), y=Y)
    with pytest.raises(DataError, match=r'"x" .* holds Python objects'):
        load(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"b\.npz is not a NumPy archive"):
        load(tmp_path / "b.npz")


def test_an_archive_cut_anywhere_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=X, y=Y)
    content = (tmp_path / "a.npz").read_bytes()
    for end in range(0, len(content), 13):
        (tmp_path / "cut.npz").write_bytes(content[:end])
        with pytest.raises(DataError, match=r"cut\.npz"):
            load(tmp_path / "cut.npz")


def test_a_flipped_bit_is_found_or_changes_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    content, whole = (tmp_path / "a.npz").read_bytes(), load(tmp_path / "a.npz").digest
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        (tmp_path / "flipped.npz").write_bytes(damaged)
        try:
            found = load(tmp_path / "flipped.npz").digest
        except DataError as error:
            assert "flipped.npz" in str(error)
        else:
            assert found == whole


def test_a_header_larger_than_memory_is_an_error_of_the_data(tmp_path: Path) -> None:
    header = str({"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)}).encode().ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", array)
        archive.writestr("y.npy", array)
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path / "a.npz")


def test_a_zip_of_other_things_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x", "some text")
        archive.writestr("y", "more text")
    with pytest.raises(DataError, match=r'"x" in .* is not an array'):
        load(tmp_path / "a.npz")


def test_a_single_array_is_told_by_what_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(DataError, match=r"it seems to be a NumPy array \(\.npy\)"):
        load(tmp_path / "a.npy")
