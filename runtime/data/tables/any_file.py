"""Reading a table by its content: Parquet, JSON or a text such as CSV."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnspec.runtime.data.files import first_bytes, open_for_reading
from nnspec.runtime.data.tables.dialect import Options
from nnspec.runtime.data.tables.frame import Frame, frame_of
from nnspec.runtime.data.tables.parquet import read_parquet
from nnspec.runtime.data.tables.reading import read_csv
from nnspec.runtime.errors import DataError


def read_frame(path: Path, given: Options | None = None, as_text: tuple[str, ...] = ()) -> Frame:
    """Return the table in a file, whose content says how it is written. Arguments are as those of `read_csv`.

    JSON is a list of objects, one for each row, or an object of lists, one for each column. Raises DataError where the
    file is missing or is not a table.
    """
    head = first_bytes(path)
    if head.startswith(b"PAR1"):
        return read_parquet(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return _read_json(path)
    return read_csv(path, given, as_text)


def _read_json(path: Path) -> Frame:
    with open_for_reading(path) as file:
        content = file.read()
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        try:
            found = [json.loads(line) for line in content.decode("utf-8-sig").splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise DataError(f"{path} is not valid JSON: {error}") from None
    return frame_of(_columns(path, found), str(path))


def _columns(path: Path, found: Any) -> Mapping[str, list[Any]]:
    """Return the columns of parsed JSON: rows as objects, or columns as lists."""
    if isinstance(found, dict):
        if found and all(isinstance(values, list) for values in found.values()):
            return found
        found = [found]
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        raise DataError(f'{path} is not a table: JSON must be a list of objects, as [{{"age": 40, "sex": "male"}}]')
    names = dict.fromkeys(name for row in found for name in row)
    return {name: [row.get(name) for row in found] for name in names}
