"""NumPy's .npz: a zip of .npy files. Objects, which would be unpickled, are refused."""

import io
import zipfile
import zlib

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.weights.stored import MOST_ARRAYS, Stored, check_declared, checked_name
from nnspec.runtime.arrays import Array


def read_npz(content: bytes, where: str) -> Stored:
    """Return the arrays of a file, in its order. Raises ExchangeError for a damaged one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARRAYS:
                raise ExchangeError(f"{where}: it has {len(entries):,} files, and at most {MOST_ARRAYS:,} are read")
            arrays: dict[str, Array] = {}
            for entry in entries:
                name = checked_name(entry.filename.removesuffix(".npy"), where)
                if name in arrays or not entry.filename.endswith(".npy"):
                    raise ExchangeError(f"{where}: {entry.filename} is not an array, or there twice")
                check_declared(entry.file_size, len(content), f"{where}: {name}")
                arrays[name] = _array(archive.read(entry), f"{where}: {name}")
            return Stored(arrays)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ExchangeError(f"{where} is not an .npz file, or it is damaged ({error})") from None


def _array(content: bytes, what: str) -> Array:
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if dtype.hasobject:
            raise ExchangeError(f"{what} holds Python objects, which are not read; save arrays of numbers")
        count = 1
        for length in shape:
            count *= length
        rest = content[file.tell() :]
        if len(rest) != count * dtype.itemsize:
            raise ExchangeError(f"{what} has {len(rest):,} bytes, and its shape needs {count * dtype.itemsize:,}")
        array: Array = np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")
        return array
    except (ValueError, TypeError, OverflowError, SyntaxError) as error:
        raise ExchangeError(f"{what} is not an array ({str(error)[:80]})") from None
