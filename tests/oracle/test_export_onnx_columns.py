"""Columns of a table as inputs of an ONNX file, against the encoding of the network. Skipped without the packages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import nnspec
from nnspec.exchange.ways.onnx.columns import as_cells, drawn_columns, rows_of
from nnspec.exchange.ways.onnx.graph import BATCH, GraphFile, Port
from nnspec.exchange.ways.onnx.model import model_bytes
from nnspec.exchange.ways.onnx.running import session
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.tables.encoding import ColumnEncoding, numbers_alone
from nnspec.runtime.data.tables.kinds import FittedColumn, kinds
from nnspec.runtime.data.tables.kinds.category import Category
from nnspec.runtime.data.tables.kinds.date import Date
from nnspec.runtime.data.tables.kinds.number import Boolean, Number

COLUMNS: tuple[FittedColumn, ...] = (
    Number("plain", 2.5, False),
    Number("with gaps / flag", -1.0, True),
    Boolean("member", 0.25, True),
    Boolean("complete", 1.0, False),
    Category("city", ("Köln", "Ulm", "São Paulo"), True),
    Category("sex", ("f", "m"), False),
    Date("when", "year_first", 1_500_000_000_000_000, ("year", "week", "day"), 12.5, True),
    Date("series", "year_first", 0, ("year",), 3.0, False, elapsed=False),
)


def rows(encoding: ColumnEncoding, given: dict[str, Array]) -> Array:
    """What the graph makes of cells, (rows, outputs)."""
    file = GraphFile()
    made = rows_of(file, encoding)
    file.outputs.append(Port(made, "float64", (BATCH, len(encoding.outputs))))
    run, _ = session(model_bytes(file, "a_test", "0", {}))
    return run(given)[0]


def test_every_kind_of_column_is_here() -> None:
    assert {type(column) for column in COLUMNS} == set(kinds().values())


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_cells_become_the_numbers_of_the_encoding(column: FittedColumn) -> None:
    encoding = ColumnEncoding((column,))
    size = len(encoding.outputs)
    fitted = replace(Preprocessing.identity((size,)), shift=np.full(size, 3.0), scale=np.full(size, 7.0))
    given = drawn_columns(encoding, fitted, 400)
    assert any(cell in ("", "never seen") or cell != cell for cell in given[column.name].tolist())
    np.testing.assert_allclose(rows(encoding, given), encoding.encode(as_cells(encoding, given)), atol=1e-9)


def test_calendars_know_leap_years_and_days_before_1970() -> None:
    edges: list[Any] = [
        np.datetime64(f"{year}-{day}", "us") + np.timedelta64(hours, "h")
        for year in (1600, 1899, 1900, 1904, 1969, 1970, 1999, 2000, 2001, 2024, 2100, 2399)
        for day in ("01-01", "02-28", "02-29", "03-01", "12-31")
        if day != "02-29" or (year % 4 == 0 and year not in (1900, 2100))
        for hours in (0, 13)
    ]
    days = np.array(edges).astype(np.int64) / 86_400e6
    encoding = ColumnEncoding((COLUMNS[-2],))
    expected = encoding.encode({"when": np.array(edges)})
    np.testing.assert_allclose(rows(encoding, {"when": days}), expected, atol=1e-9)


def test_words_for_yes_and_no_are_read_in_any_of_three_spellings() -> None:
    encoding = ColumnEncoding((COLUMNS[2],))
    words = np.array(["yes", "TRUE", "On", "1", "no", "False", "N", "0", "", "perhaps"], object)
    np.testing.assert_array_equal(
        rows(encoding, {"member": words}),
        np.transpose([[1, 1, 1, 1, 0, 0, 0, 0, 0.25, 0.25], [0] * 8 + [1, 1]]),
    )


def test_numbers_that_have_to_be_complete_are_drawn_complete() -> None:
    encoding = numbers_alone(("a", "b"), None)
    given = drawn_columns(encoding, Preprocessing.identity((2,)), 50)
    np.testing.assert_array_equal(rows(encoding, given), np.column_stack([given["a"], given["b"]]))


def test_a_table_goes_out_with_its_columns_as_inputs(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    lines = ["age,sex,when,output,y"]
    for row in range(120):
        day = np.datetime64("2015-01-01") + np.timedelta64(int(random.integers(0, 2000)), "D")
        age = "" if row % 9 == 0 else random.integers(1, 90)
        lines.append(f"{age},{random.choice(['f', 'm'])},{day},{random.normal():.3f},{random.choice(['a', 'b'])}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data = f'csv "{tmp_path / "t.csv"}" target=y split=60/20/20'
    network = nnspec.train(f"dense 4 tanh -> dense 2 softmax\ndata {data}\ntrain 1 epochs").network
    made = nnspec.export(network, "onnx", tmp_path / "net", columns=True)
    assert "age float64 (batch), sex string (batch), when float64 (batch), output float64 (batch)" in made.notes[0]
    assert made.notes[1].startswith("ONNX Runtime agrees with the network on 64 samples")


@pytest.mark.parametrize("text", ["input 4 -> dense 2 softmax", "input 5x2 sequence -> lstm 3"])
def test_samples_without_columns_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(nnspec.ExchangeError, match=r"not rows of a table(.|\n)*leave --columns out"):
        nnspec.export(nnspec.compile(text), "onnx", tmp_path / "net", columns=True)
    assert not list(tmp_path.iterdir())
