"""Tables whose rows are points in time: encoded as any table, then cut into windows."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.series import windows
from nnspec.runtime.data.tables.dates import ORDERS, order_of
from nnspec.runtime.data.tables.encoding import ColumnEncoding, ColumnTable
from nnspec.runtime.data.tables.frame import Frame
from nnspec.runtime.data.tables.kinds import Choices, Column, Warn
from nnspec.runtime.data.tables.kinds.date import Date, moments
from nnspec.spec_lang.vocabulary import data_tables as words


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """The features of a table over time, not encoded yet: a sample is a window of rows.

    Its target is from `target`, (rows, outputs).
    """

    table: ColumnTable
    word: words.Table
    target: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self._cut(np.zeros((len(self.table), 1))).inputs)

    @property
    def frame(self) -> Frame:
        """The rows."""
        return self.table.frame

    def samples(self, name: str, notes: tuple[str, ...]) -> Samples:
        """Return the samples, whose inputs are this table."""
        cut = self._cut(np.zeros((len(self.table), 1)), name, self._times())
        return replace(cut, inputs=self, notes=notes)

    def fit(self, rows: Any) -> tuple[ColumnEncoding, tuple[str, ...]]:
        """Learn from the points of the training windows."""
        assert self.word.window is not None
        chosen = np.arange(len(self))[rows]
        return self.table.fit(slice(0, int(chosen.max()) * self.word.points_apart + self.word.window))

    def without(self, column: str) -> "SeriesTable":
        """Return the series without a column, if there is one of this name."""
        return replace(self, table=self.table.without(column))

    def encoded(self, encoding: ColumnEncoding, warn: Warn | None = None) -> NDArray[np.float64]:
        """Return the windows, (samples, window, outputs)."""
        inputs: NDArray[np.float64] = self._cut(self.table.encoded(encoding, warn)).inputs
        return inputs

    def _cut(self, points: NDArray[np.float64], name: str = "", times: NDArray[Any] | None = None) -> Samples:
        return windows(name or self.frame.name, points, self.target, self.word, self.frame.place, None, times)

    def _times(self) -> NDArray[Any] | None:
        """Return the dates of the rows, from the first column of dates; None where there is none or one is missing."""
        for name, cells in self.frame.columns.items():
            column = Column(name, cells, self.frame.place)
            if Date.recognizes(column, Choices(dates=self.word.dates)):
                order = order_of(name, column.texts() if cells.dtype.kind == "O" else (), self.word.dates)
                times = moments(column, order or ORDERS[0])
                return None if np.isnat(times).any() else times
        return None
