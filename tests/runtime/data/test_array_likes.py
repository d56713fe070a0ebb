"""Stored samples: whatever part is asked for, in whatever order, is what an array would give."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nnspec.runtime.data import DataError, array_likes, file_rows
from nnspec.runtime.data.array_likes import Places, ReadAhead, RowReader, StoredArray, concatenated, parts, take
from nnspec.runtime.data.file_rows import FileRows

WHOLE = np.arange(200 * 6, dtype=np.int32).reshape(200, 2, 3)


class Counting(RowReader):
    """Rows of an array, which counts what it is asked for."""

    def __init__(self, array: NDArray[Any]):
        self.shape, self.dtype, self.array = array.shape, array.dtype, array
        self.asked: list[list[int]] = []

    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        assert (np.diff(rows) >= 0).all()
        self.asked.append(rows.tolist())
        out[places] = self.array[rows]


def in_a_file(folder: Path, array: NDArray[Any], offset: int = 128) -> FileRows:
    path = folder / "rows"
    path.write_bytes(bytes(offset) + array.tobytes())
    return FileRows(path, os.open(path, os.O_RDONLY), offset, array.shape, array.dtype)


@given(st.lists(st.integers(-200, 199), max_size=40), st.integers(0, 60))
def test_any_rows_in_any_order_are_those_of_the_array(tmp_path_factory: Any, rows: list[int], gap: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_rows, "GAP", gap)
        patch.setattr(file_rows, "BLOCK", 240)  # ten rows
        stored = StoredArray(in_a_file(folder, WHOLE))
        chosen = np.array(rows, np.int64)
        assert np.array_equal(stored[chosen], WHOLE[chosen])
        assert np.array_equal(stored.take(chosen)[:], WHOLE[chosen])
        assert np.array_equal(stored.take(slice(150, 20, -3)).take(np.array([2, 2, 0]))[:], WHOLE[150:20:-3][[2, 2, 0]])


def test_a_row_that_is_asked_for_twice_is_there_twice(tmp_path: Path) -> None:
    stored = StoredArray(in_a_file(tmp_path, WHOLE))
    for rows in ([0, 0, 2], [5, 5, 6, 8], [3, 3], [9, 7, 7]):
        assert np.array_equal(stored[np.array(rows)], WHOLE[rows])


@pytest.mark.parametrize("dtype", ["u1", "?", "<f2", ">f4", "<f8", ">i2", "i8"])
def test_every_type_is_read_in_native_order(tmp_path: Path, dtype: str) -> None:
    array = (np.arange(60).reshape(20, 3) % 7).astype(dtype)
    stored = StoredArray(in_a_file(tmp_path, array))
    assert stored.dtype.isnative and stored[3:9].dtype == stored.dtype
    assert np.array_equal(stored[3:9], array[3:9]) and np.array_equal(stored[np.array([7, 2])], array[[7, 2]])


def test_it_answers_as_an_array_does() -> None:
    stored = StoredArray(Counting(WHOLE))
    assert (len(stored), stored.shape, stored.ndim, stored.size, stored.nbytes) == (200, (200, 2, 3), 3, 1200, 4800)
    assert np.array_equal(stored[5], WHOLE[5]) and np.array_equal(stored[-1], WHOLE[-1])
    assert np.array_equal(stored[10:20:4], WHOLE[10:20:4]) and stored[7:7].shape == (0, 2, 3)
    assert np.array_equal(list(stored), list(WHOLE))
    assert np.array_equal(stored.reshape(200, 6)[3:5], WHOLE.reshape(200, 6)[3:5])
    for wrong in (200, np.array([200]), np.array([-201])):
        with pytest.raises(IndexError):
            stored[wrong]
    with pytest.raises(TypeError, match="indexed by a number"):
        stored[np.array([0.5])]
    with pytest.raises(ValueError, match="cannot be reshaped"):
        stored.reshape(100, 12)


def test_nothing_copies_all_of_it_by_mistake() -> None:
    reader = Counting(WHOLE)
    for copy in (np.asarray, np.array, lambda x: np.take(x, [0], axis=0), lambda x: x + np.zeros(3)):
        with pytest.raises((DataError, TypeError)):
            copy(StoredArray(reader))
    assert reader.asked == []


def test_to_take_and_to_reshape_read_nothing() -> None:
    reader = Counting(WHOLE)
    stored = take(StoredArray(reader), np.arange(0, 200, 7))  # type: ignore[arg-type]
    assert reader.asked == [] and stored.reshape((29, 6)).shape == (29, 6)
    assert np.array_equal(take(WHOLE, slice(3, 5)), WHOLE[3:5])


def test_splits_are_joined_without_being_read() -> None:
    reader = Counting(WHOLE)
    first, second = take(StoredArray(reader), np.arange(0, 200, 2)), WHOLE[:7]  # type: ignore[arg-type]
    joined = concatenated([first, second])
    assert reader.asked == [] and len(joined) == 107
    assert np.array_equal(joined[np.array([106, 3, 99, 100])], np.concatenate([WHOLE[::2], second])[[106, 3, 99, 100]])


def test_passes_over_all_samples_hold_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_likes, "_BLOCK", 24 * 30)
    reader = Counting(WHOLE)
    found = [(start, len(part)) for start, part in parts(StoredArray(reader))]  # type: ignore[arg-type]
    assert found == [(0, 30), (30, 30), (60, 30), (90, 30), (120, 30), (150, 30), (180, 20)]
    assert [(start, len(part)) for start, part in parts(WHOLE)] == [(0, 200)]


def test_an_epoch_is_read_in_windows_and_comes_in_its_own_order() -> None:
    reader = Counting(WHOLE)
    ahead, order = ReadAhead(StoredArray(reader), 24 * 70), np.random.default_rng(0).permutation(200)
    for start in range(0, 200, 30):
        out = np.empty((min(30, 200 - start), 2, 3), np.int32)
        ahead.read(order, start, out)
        assert np.array_equal(out, WHOLE[order[start : start + 30]])
    assert list(map(len, reader.asked)) == [60, 60, 60, 20]
    again = order[::-1].copy()
    out = np.empty((10, 2, 3), np.int32)
    ahead.read(again, 0, out)  # another order at the same place
    assert np.array_equal(out, WHOLE[again[:10]])
    large = np.empty((90, 2, 3), np.int32)
    ahead.read(again, 10, large)  # a batch larger than a window
    assert np.array_equal(large, WHOLE[again[10:100]])


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    stored = StoredArray(in_a_file(tmp_path, WHOLE))
    assert np.array_equal(stored[150:], WHOLE[150:])
    os.truncate(tmp_path / "rows", 2400)
    assert np.array_equal(stored[:90], WHOLE[:90])
    with pytest.raises(DataError, match="rows was cut off while it was in use"):
        stored[150:]


def test_the_handle_of_a_file_is_closed_with_its_last_reader(tmp_path: Path) -> None:
    reader = in_a_file(tmp_path, WHOLE)
    handle = reader._handle
    stored = StoredArray(reader).take(slice(3, 9))
    del reader
    os.fstat(handle)
    del stored
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", "1GB"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", text)
    with pytest.raises(DataError, match="NNSPEC_DATA_MEMORY=1024"):
        array_likes.most_in_memory()


def test_the_system_without_positioned_reads_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("preadv", "posix_fadvise"):
        monkeypatch.delattr(os, name, raising=False)
    stored = StoredArray(in_a_file(tmp_path, WHOLE))
    stored.expect(np.array([3, 1]))
    assert np.array_equal(stored[np.array([199, 3, 4])], WHOLE[[199, 3, 4]])
