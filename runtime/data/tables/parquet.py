"""Parquet files, read with pyarrow, which is an extra."""

from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.data.files import first_bytes, looks_like
from nnspec.runtime.data.tables.frame import Frame, as_column
from nnspec.runtime.errors import DataError


def read_parquet(path: Path) -> Frame:
    """Return the columns of a Parquet file; rows are numbered from 0 in messages.

    Raises DataError where the file is missing, is not Parquet or is damaged, where pyarrow is not installed, and for a
    column of lists or structures.
    """
    head = first_bytes(path)
    if not head.startswith(b"PAR1"):
        raise DataError(f"{path} is not a Parquet file: it seems to be {looks_like(head)}")
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise DataError("reading Parquet needs pyarrow: pip install 'nnspec[parquet]'", exit_code=2) from None
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            table = file.read()
    except Exception as error:  # damage may show anywhere in Arrow, as an error of any type
        raise DataError(f"{path} is damaged or cut off: {error}") from None
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    if not names or not table.num_rows:
        raise DataError(f"{path} has no {'rows' if names else 'columns'}")
    columns = {name: _column(table.column(name), f'{path}, column "{name}"') for name in names}
    return Frame(str(path), columns)


def _column(values: Any, what: str) -> Any:
    """Return an Arrow column as a frame has it."""
    import pyarrow as arrow
    import pyarrow.compute as compute

    kind = values.type
    if arrow.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if arrow.types.is_null(kind):
        return np.full(len(values), np.nan)
    if arrow.types.is_integer(kind) or arrow.types.is_floating(kind) or arrow.types.is_decimal(kind):
        return compute.fill_null(values.cast(arrow.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
    if arrow.types.is_timestamp(kind) or arrow.types.is_date(kind):
        naive = values.cast(arrow.timestamp("us"), safe=False)  # with a zone: its moment in UTC
        return naive.to_numpy(zero_copy_only=False).astype("datetime64[us]")
    if arrow.types.is_nested(kind) or arrow.types.is_binary(kind):
        raise DataError(f"{what} holds {kind}: save it as numbers, texts, booleans or dates")
    return as_column(np.array(values.to_pylist(), object), what)
