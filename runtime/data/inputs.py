"""Samples to predict on, read from any kind of file into raw samples of the network's shape."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.idx import read_idx
from nnspec.runtime.data.images import read_picture
from nnspec.runtime.data.measure import first_nonfinite_index
from nnspec.runtime.data.npz import read_array, read_arrays
from nnspec.runtime.data.preprocessing import Preprocessing
from nnspec.runtime.data.tables import Table, guess_separator, read_records, table_from_rows
from nnspec.runtime.data.target_encoding import is_number
from nnspec.runtime.errors import DataError

Labelled = list[tuple[str, NDArray[Any]]]
_PICTURES = ("a PNG picture", "a JPEG picture", "a BMP picture")


def read_inputs(path: Path, preprocessing: Preprocessing, invert: bool = False) -> Labelled:
    """Return the raw samples of a file, each with a label that names it in the output.

    The content decides, not the file's name: a PNG, JPEG or BMP picture of any size (see `read_picture`), a .npy array
    of one sample or a batch, an .npz with one array or one called x, an IDX file, plain or gzipped, or a CSV table.
    Columns of a table with a header are found by name, in any order and among others; without a header they are in the
    order of the features. A row is a whole sample, also of an image. For a network trained on a table over time, rows
    are points in time and every window of them is a sample. `invert` swaps light and dark in a picture.
    Raises DataError where the file is missing or unreadable, or has no samples or samples of another shape.
    """
    head = first_bytes(path)
    kind = looks_like(head)
    if kind in _PICTURES:
        return [(str(path), read_picture(path, preprocessing, invert))]
    if invert:
        raise DataError(f"{path} is not a picture, and only pictures can be inverted: leave --invert out", exit_code=2)
    if kind == "a text file" and preprocessing.vocabulary is not None:
        raise DataError(
            f"{path} is text, and this network predicts the next character: nnspec sample CHECKPOINT --prompt TEXT "
            "continues a text, nnspec eval CHECKPOINT --data 'text \"FILE\"' measures how well it predicts one",
            exit_code=2,
        )
    if kind == "a text file":
        return list(_rows(path, preprocessing))
    if kind not in _ARRAYS:
        raise DataError(
            f"{path} cannot be read: it seems to be {kind}, and samples come as PNG, JPEG, BMP, .npy, .npz, .csv or IDX"
        )
    return list(_batch(path, _ARRAYS[kind](path), preprocessing))


_ARRAYS: dict[str, Callable[[Path], NDArray[Any]]] = {
    "a NumPy array (.npy)": read_array,
    "a zip archive (.npz is one)": lambda path: next(iter(read_arrays(path, ()).values())),
    "an IDX file": read_idx,
    "a gzip file": read_idx,
}


def _batch(path: Path, array: NDArray[Any], preprocessing: Preprocessing) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the samples of an array: one if it has the shape of a sample, else a batch."""
    shape = preprocessing.input_shape
    single = array.shape == shape or (*array.shape, 1) == shape
    try:
        samples = preprocessing.as_batch(array[None] if single else array)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    place = first_nonfinite_index(samples)
    if place is not None:
        raise DataError(f"{path}[{place[0]}] has {samples[place]}: samples must be finite")
    if not len(samples):
        raise DataError(f"{path} has no samples")
    for index, sample in enumerate(samples):
        yield str(path) if single else f"{path}[{index}]", sample


def _rows(path: Path, preprocessing: Preprocessing) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the rows of a table as samples, or its windows for a network trained on a table over time."""
    size = int(np.prod(preprocessing.input_shape))
    features = preprocessing.features
    with open_for_reading(path) as file:
        separator = guess_separator(file.readline().decode("utf-8", "replace"))
    rows = list(read_records(path, separator))
    first = rows[0][1] if rows else []
    named = (features is not None and set(features) <= set(first)) or not all(map(is_number, first))
    if named:
        wanted = features or tuple(first)
        rows, names = rows[1:], first
    else:
        wanted = features or tuple(f"column {index}" for index in range(1, len(first) + 1))
        names = list(wanted)
    if features is not None and preprocessing.input_shape[1:] == (len(features),) and named:
        yield from _over_time(table_from_rows(path, names, rows, wanted, None), preprocessing.input_shape[0])
        return
    if len(wanted) != size or (not named and len(first) != size):
        by = "x".join(map(str, preprocessing.input_shape))
        raise DataError(f"{path} has {len(first)} columns, and the network takes {by} numbers for each sample")
    table = table_from_rows(path, names, rows, wanted, None)
    for line, numbers in zip(table.lines, table.numbers, strict=True):
        yield f"{path}:{line}", numbers.reshape(preprocessing.input_shape)


def _over_time(table: Table, window: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield every window over the rows of a table, labelled by its last line: the prediction is for the next row."""
    count = len(table.lines) - window + 1
    if count < 1:
        raise DataError(
            f"{table.path} has {len(table.lines)} rows, and the network needs {window} rows to predict the next one"
        )
    for start in range(count):
        yield f"{table.path}:{table.lines[start + window - 1]}", table.numbers[start : start + window]
