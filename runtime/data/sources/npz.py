"""NumPy archives: x and y, and x_test and y_test if they are there. Nothing is ever unpickled."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import StoredArray, kept_in_memory, stored_note, typed_as_array
from nnspec.runtime.data.file_rows import BLOCK, FileRows
from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples, numbered_places
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near
from nnspec.spec_lang.vocabulary import data as words


def read_arrays(path: Path, wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, NDArray[Any]]:
    """Return the named arrays of an .npz file; without names its only array, or the one called x.

    `optional` arrays are returned if the file has them. Raises DataError where the file is missing, is not an archive,
    is damaged, lacks a wanted array, or holds Python objects.
    """
    head = first_bytes(path)
    if not head.startswith(b"PK"):
        raise DataError(f"{path} is not a NumPy archive (.npz): it seems to be {looks_like(head)}")
    with open_for_reading(path) as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                names = archive.files
                if not wanted:
                    wanted = _only(path, names)
                for name in wanted:
                    if name not in names:
                        raise _lacks(path, name, names)
                return {name: _entry(path, archive, name) for name in (*wanted, *optional) if name in names}
        except DataError:
            raise
        except Exception as error:  # damage may show anywhere in NumPy, zipfile and zlib, as an error of any type
            raise DataError(f"{path} is damaged, cut off, or compressed in an unsupported way: {error}") from None


def read_array(path: Path) -> NDArray[Any]:
    """Return the array of an .npy file. Raises DataError where the file is damaged or holds Python objects."""
    with open_for_reading(path) as file:
        try:
            return np.asarray(np.load(file, allow_pickle=False))
        except MemoryError:
            raise DataError(f"{path} claims to be larger than memory: it is damaged") from None
        except Exception as error:  # a damaged header may fail anywhere in NumPy's parser
            raise DataError(f"{path} is damaged, cut off, or holds Python objects: {error}") from None


def _stored(path: Path, name: str) -> NDArray[Any] | None:
    """Return an array that is not compressed and too large for memory as a StoredArray, else None; None for damage.

    The checksum of the archive is compared, a block at a time.
    """
    try:
        with open_for_reading(path) as file, zipfile.ZipFile(file) as archive:
            info = archive.getinfo(f"{name}.npy")
            if info.compress_type != zipfile.ZIP_STORED or kept_in_memory(info.file_size):
                return None
            with archive.open(info) as member:
                version = npy_format.read_magic(member)
                read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
                shape, fortran, dtype = read(member)
                start = member.tell()
                if not shape or (fortran and len(shape) > 1) or dtype.kind not in "buif":
                    return None
                if start + dtype.itemsize * int(np.prod(shape, dtype=object)) != info.file_size:
                    return None
                while member.read(BLOCK):
                    pass
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), "<u2").tolist()  # those of the name and of the extra field
            offset = info.header_offset + 30 + sum(lengths) + start
            return typed_as_array(StoredArray(FileRows(path, os.dup(file.fileno()), offset, shape, dtype)))
    except Exception:  # damage, which reading the whole array reports
        return None


def _entry(path: Path, archive: Any, name: str) -> NDArray[Any]:
    try:
        array = archive[name]
    except MemoryError:
        raise DataError(f'the array "{name}" in {path} claims to be larger than memory: the file is damaged') from None
    except ValueError as error:
        if "Object arrays" in str(error):
            raise DataError(
                f'the array "{name}" in {path} holds Python objects, which are not loaded; save it as numbers or text'
            ) from None
        raise
    if not isinstance(array, np.ndarray):
        raise DataError(f'the entry "{name}" in {path} is not an array')
    return array


def _only(path: Path, names: list[str]) -> tuple[str]:
    if "x" in names or len(names) == 1:
        return ("x" if "x" in names else names[0],)
    raise DataError(f"{path} holds {_listed(names)}; save one array, or call one of them x")


def _lacks(path: Path, name: str, names: list[str]) -> DataError:
    close = near(name, names)
    hint = f'; did you mean "{close}"?' if close else ""
    return DataError(f'{path} has no array "{name}": it holds {_listed(names)}{hint}')


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


@reads(words.Npz)
def load_npz(word: words.Npz, folder: Path) -> Samples:
    """Read the arrays that the word names; those of the test split have the same names with _test appended."""
    path = folder / word.path
    x_test, y_test = f"{word.x}_test", f"{word.y}_test"
    stored = {name: rows for name in (word.x, x_test) if (rows := _stored(path, name)) is not None}
    wanted = (word.x, word.y) if word.group is None else (word.x, word.y, word.group)
    needed, optional = (tuple(n for n in names if n not in stored) for names in (wanted, (x_test, y_test)))
    arrays = read_arrays(path, needed, optional) | stored
    if (x_test in arrays) != (y_test in arrays):
        have, lack = (x_test, y_test) if x_test in arrays else (y_test, x_test)
        raise DataError(f'{path} has "{have}" and no "{lack}": a test split needs both')
    test = None
    if x_test in arrays:
        test = Samples(f"{path.name} (test)", arrays[x_test], arrays[y_test], numbered_places(f"{path}, {y_test}"))
    groups = arrays[word.group] if word.group is not None else None
    return Samples(
        path.name,
        arrays[word.x],
        arrays[word.y],
        numbered_places(str(path)),
        test,
        groups=groups,
        column=lambda name: read_arrays(path, (name,))[name],
        notes=stored_note(path.name, arrays[word.x]),
    )
