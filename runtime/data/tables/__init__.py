"""Tables: files of text or Parquet read into frames, columns of many kinds encoded as numbers.

A reader makes a `Frame`, the columns as they are in the file. `ColumnTable` is the features of one; from its training
rows it learns a `ColumnEncoding`, which a checkpoint keeps and which takes raw rows.
"""

from nnspec.runtime.data.tables.any_file import read_frame
from nnspec.runtime.data.tables.dialect import Options
from nnspec.runtime.data.tables.encoding import ColumnEncoding, ColumnTable
from nnspec.runtime.data.tables.frame import Frame, frame_of
from nnspec.runtime.data.tables.kinds import Choices
from nnspec.runtime.data.tables.parquet import read_parquet
from nnspec.runtime.data.tables.reading import read_csv

__all__ = [
    "Choices",
    "ColumnEncoding",
    "ColumnTable",
    "Frame",
    "Options",
    "frame_of",
    "read_csv",
    "read_frame",
    "read_parquet",
]
