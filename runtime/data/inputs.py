"""Samples to predict on, read from any kind of file into raw samples of the network's shape."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import first_bytes, looks_like
from nnspec.runtime.data.fitted.measure import first_nonfinite_index
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.runtime.data.images import read_picture
from nnspec.runtime.data.pictures import FORMATS, SUFFIXES
from nnspec.runtime.errors import DataError

if TYPE_CHECKING:
    from nnspec.runtime.data.tables.encoding import ColumnEncoding
    from nnspec.runtime.data.tables.frame import Frame
    from nnspec.runtime.data.tables.kinds import Warn

Labelled = list[tuple[str, NDArray[Any]]]
_TABLES = ("a text file", "text in UTF-16, not UTF-8", "a Parquet file")


def read_inputs(path: Path, preprocessing: Preprocessing, invert: bool = False, warn: "Warn | None" = None) -> Labelled:
    """Return the raw samples of a file, each with a label that names it in the output.

    The content decides, not the file's name: a picture of any format and size (see `read_picture`), a .npy array of
    one sample or a batch, an .npz with one array or one called x, an IDX file, plain or gzipped, or a table as CSV,
    Parquet or JSON. Columns of a table are found by name, in any order and among others, and encoded as in training;
    without a header they are in the order of the features. A row is a whole sample, also of an image. For a network
    trained on a table over time, rows are points in time and every window of them is a sample. `invert` swaps light and
    dark in a picture. `warn` is called with what training did not see, such as an unknown category.
    Raises DataError where the file is missing or unreadable, or has no samples or samples of another shape.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder without pictures: name a file in it", exit_code=2)
    head = first_bytes(path)
    kind = looks_like(head)
    if kind in FORMATS or (path.suffix.lower() in SUFFIXES and kind not in _ARRAYS):
        return [(str(path), read_picture(path, preprocessing, invert))]
    if invert:
        raise DataError(f"{path} is not a picture, and only pictures can be inverted: leave --invert out", exit_code=2)
    if kind == "a text file" and preprocessing.vocabulary is not None:
        raise DataError(
            f"{path} is text, and this network predicts the next character: nnspec sample CHECKPOINT --prompt TEXT "
            "continues a text, nnspec eval CHECKPOINT --data 'text \"FILE\"' measures how well it predicts one",
            exit_code=2,
        )
    if kind in _TABLES:
        return _rows(path, preprocessing, warn)
    if kind not in _ARRAYS:
        raise DataError(
            f"{path} cannot be read: it seems to be {kind}, and samples come as PNG, JPEG, BMP, GIF, TIFF, WebP, "
            "PNM, .npy, .npz, IDX, .csv, .json or .parquet"
        )
    return list(_batch(path, _ARRAYS[kind](path), preprocessing))


def input_files(path: Path) -> list[Path]:
    """Return the pictures of a folder and the folders in it, by path, or the path itself where there are none."""
    if not path.is_dir():
        return [path]
    from nnspec.runtime.data.sources.image_folder import pictures_in

    try:
        return pictures_in(path) or [path]
    except DataError:  # reading it says why
        return [path]


def _npy(path: Path) -> NDArray[Any]:
    from nnspec.runtime.data.sources.npz import read_array

    return read_array(path)


def _npz(path: Path) -> NDArray[Any]:
    from nnspec.runtime.data.sources.npz import read_arrays

    return next(iter(read_arrays(path, ()).values()))


def _idx(path: Path) -> NDArray[Any]:
    from nnspec.runtime.data.sources.idx import read_idx

    return read_idx(path)


_ARRAYS: dict[str, Callable[[Path], NDArray[Any]]] = {
    "a NumPy array (.npy)": _npy,
    "a zip archive (.npz is one)": _npz,
    "an IDX file": _idx,
    "a gzip file": _idx,
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


def _rows(path: Path, preprocessing: Preprocessing, warn: "Warn | None") -> Labelled:
    """Return the rows of a table as samples, or its windows for a network trained on a table over time."""
    from nnspec.runtime.data.tables.any_file import read_frame
    from nnspec.runtime.data.tables.dialect import Options

    encoding = preprocessing.encoding()
    if encoding is None:
        return _numbers(read_frame(path), preprocessing.input_shape)
    frame = read_frame(path, Options(columns=encoding.names), encoding.text_columns())
    return samples_of_table(_in_order(frame, encoding), encoding, preprocessing.input_shape, warn)


def samples_of_table(
    frame: "Frame", encoding: "ColumnEncoding", shape: tuple[int, ...], warn: "Warn | None"
) -> Labelled:
    """Return the rows of a table as samples of a shape, each with its label, or its windows, one after the other.

    Arguments are those of `read_inputs`. Raises DataError as it does.
    """
    rows = encoding.encode(frame, warn)
    if shape == rows.shape[1:]:
        return [(frame.label(index), row) for index, row in enumerate(rows)]
    if not frame.named:
        raise DataError(f"{frame.name} has no header line, which names the columns of a series")
    count = len(rows) - shape[0] + 1
    if count < 1:
        raise DataError(
            f"{frame.name} has {len(rows)} rows, and the network needs {shape[0]} rows to predict the next one"
        )
    last = shape[0] - 1  # a window is labelled by its last row: the prediction is for the next one
    return [(frame.label(start + last), rows[start : start + shape[0]]) for start in range(count)]


def _in_order(frame: "Frame", encoding: "ColumnEncoding") -> "Frame":
    """Return a table without a header with its columns named in the network's order, if it has just these."""
    if frame.named or set(encoding.names) <= set(frame.names):
        return frame
    if len(frame.names) != len(encoding.names):
        from nnspec.runtime.data.tables.frame import listed

        raise DataError(
            f"{frame.name} has {len(frame.names)} columns without names, and the network takes {len(encoding.names)}: "
            f"{listed(encoding.names)}"
        )
    return replace(frame, columns=dict(zip(encoding.names, frame.columns.values(), strict=True)))


def _numbers(frame: "Frame", shape: tuple[int, ...]) -> Labelled:
    """Return rows of numbers as samples of a network that knows no names of columns, such as one for images."""
    from nnspec.runtime.data.tables.encoding import numbers_alone

    by, size = "x".join(map(str, shape)), int(np.prod(shape))
    if len(frame.names) != size:
        raise DataError(
            f"{frame.name} has {len(frame.names)} columns, and the network takes {by} numbers for each sample"
        )
    rows = numbers_alone(frame.names, None).encode(frame)
    return [(frame.label(index), row.reshape(shape)) for index, row in enumerate(rows)]
