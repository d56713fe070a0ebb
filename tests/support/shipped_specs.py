"""Shipped specs whose data are files: with the example data of their names beside them."""

from pathlib import Path

import pytest

import nnspec
from nnspec.runtime.data.examples import write_example

EXAMPLES = {"images": "digits"}
"""The example data of a spec with another name."""


def with_its_data(path: Path, folder: Path) -> Path:
    """Copy a spec to a folder, with its data; skips where these need what is not installed. Others stay in place."""
    data = nnspec.check(path).data
    if data is None or not data.paths:
        return path
    try:
        write_example(EXAMPLES.get(path.stem, path.stem), folder)
    except nnspec.DataError as error:
        pytest.skip(str(error))
    copied = folder / path.name
    copied.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return copied
