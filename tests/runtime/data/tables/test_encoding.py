"""Columns are encoded by what their training rows have, and raw rows are encoded as those were."""

import json
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import DataError
from nnspec.runtime.data.tables.encoding import ColumnEncoding, ColumnTable
from nnspec.runtime.data.tables.frame import frame_of
from nnspec.runtime.data.tables.kinds import Choices


def encoding(columns: dict[str, Any], rows: Any = slice(None), **choices: Any) -> ColumnEncoding:
    return ColumnTable(frame_of(columns), Choices(**choices)).fit(rows)[0]


def test_a_missing_number_becomes_the_statistic_of_the_training_rows_with_a_flag() -> None:
    columns = {"age": [1, None, 3, 8, 100]}
    made = encoding(columns, slice(4))
    assert made.outputs == ("age", "age is missing") and made.scaled.tolist() == [True, False]
    assert made.encode(columns).tolist() == [[1, 0], [4, 1], [3, 0], [8, 0], [100, 0]]
    assert encoding(columns, slice(4), missing="median").encode(columns)[1].tolist() == [3, 1]
    with pytest.raises(DataError, match=r'row 1 .*column "age" is missing, and missing=refuse'):
        encoding(columns, missing="refuse")


def test_a_number_that_was_never_missing_is_filled_with_a_warning() -> None:
    said: list[str] = []
    assert encoding({"age": [1, 3]}).encode({"age": [None, 5]}, said.append).tolist() == [[2], [5]]
    assert said == ['the table, row 0 (counted from 0), column "age" is missing and never was in training: 2 is taken']


def test_categories_are_one_hot_and_unseen_ones_are_zeros_with_a_warning() -> None:
    made, said = encoding({"c": ["b", "a", "b", "z"]}, slice(3)), list[str]()
    assert made.outputs == ("c=a", "c=b") and not made.scaled.any()
    assert made.encode({"c": ["a", "b", "z", None]}, said.append).tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]
    assert 'holds "z", which training did not see (a, b)' in said[0] and "is missing and never was" in said[1]


def test_a_missing_category_is_a_category_of_its_own() -> None:
    made = encoding({"c": ["b", None, "a"]})
    assert made.outputs == ("c=a", "c=b", "c is missing") and made.encode({"c": [None]}).tolist() == [[0, 0, 1]]


def test_numbers_are_categories_where_they_are_said_to_be() -> None:
    made = encoding({"floor": [1, 2, 10]}, categorical=("floor",))
    assert made.outputs == ("floor=1", "floor=10", "floor=2")
    assert made.encode({"floor": ["10", "2"]}).tolist() == made.encode({"floor": [10, 2]}).tolist()


@pytest.mark.parametrize("pair", [("yes", "no"), ("True", "False"), ("Y", "N"), ("on", "off")])
def test_words_for_yes_and_no_are_1_and_0(pair: tuple[str, str]) -> None:
    made = encoding({"ok": [pair[0], pair[1], pair[0]]})
    assert made.outputs == ("ok",) and made.encode({"ok": [pair[1], pair[0]]}).tolist() == [[0], [1]]
    assert made.encode({"ok": [True, False]}).tolist() == made.encode({"ok": [1, 0]}).tolist() == [[1], [0]]
    with pytest.raises(DataError, match='holds "perhaps", and the network knows yes and no'):
        made.encode({"ok": ["perhaps"]})


def test_a_date_becomes_days_and_the_phase_of_each_cycle_that_training_saw_twice() -> None:
    days = np.arange("2020-01-06", "2020-02-06", dtype="datetime64[D]")  # a month from a Monday on
    made = encoding({"d": days})
    assert made.outputs == ("d in days", "d, sine of the week", "d, cosine of the week")
    encoded = made.encode({"d": ["2020-01-06", "2020-01-13T12:00"]})
    assert np.allclose(encoded, [[0, 0, 1], [7.5, np.sin(np.pi / 7), np.cos(np.pi / 7)]])
    years = encoding({"d": np.array(["2018-01-01", "2021-07-01"], "M8[D]")})
    assert np.allclose(years.encode({"d": ["2018-01-01"]}), [[0, 0, 1, 0, 1]])
    hours = encoding({"t": ["06:00", "12:00", "18:00"]})
    assert hours.outputs == ("t in days", "t, sine of the day", "t, cosine of the day")
    assert np.allclose(hours.encode({"t": ["6:00 PM"]}), [[0.5, -1, 0]])


def test_a_missing_date_has_no_phase() -> None:
    days: list[Any] = [None, *np.arange("2020-01-06", "2020-02-06", dtype="datetime64[D]").astype(str)]
    made = encoding({"d": days})
    assert made.encode({"d": [None]}).tolist() == [[15.0, 0, 0, 1]]


@pytest.mark.parametrize(
    "texts",
    [
        ("2020-01-31", "2020-03-01"),
        ("31.01.2020", "01.03.2020"),
        ("31/01/2020", "01/03/2020"),
        ("01/31/2020", "03/01/2020"),
        ("31 Jan 2020", "1 March 2020"),
        ("January 31, 2020", "Mar 1, 2020"),
        ("2020/1/31 0:00", "2020/3/1 0:00"),
        ("2020-01-31T02:00:00+02:00", "2020-03-01T00:00:00Z"),
        ("31-Jan-20", "01-Mar-20"),
    ],
)
def test_dates_are_read_as_people_write_them(texts: tuple[str, str]) -> None:
    made = encoding({"d": list(texts)})
    assert made.columns[0].kind == "date" and made.encode({"d": list(texts)})[:, 0].tolist() == [0, 30]


def test_a_date_whose_day_and_month_cannot_be_told_apart_is_asked_for() -> None:
    columns = {"d": ["01/02/2020", "03/05/2020"]}
    with pytest.raises(DataError, match="may begin with the day or with the month: write dates=day_first or"):
        encoding(columns)
    days = {order: encoding(columns, dates=order).encode(columns)[1, 0] for order in ("day_first", "month_first")}
    assert days == {"day_first": 92, "month_first": 63}
    # all rows say how dates are written, the training rows only when the first one was
    made = encoding({"d": ["01/02/2020", "03/04/2020", "31/12/2020"]}, slice(2))
    assert made.encode({"d": ["03/04/2020"]})[0, 0] == 62


def test_a_text_among_numbers_is_refused_or_missing_or_makes_categories() -> None:
    columns: dict[str, Any] = {"x": [*map(str, range(30)), "old"]}
    with pytest.raises(
        DataError, match=r'column "x" holds "old", which is not a number; the other 30 cells are.*numeric=x'
    ):
        encoding(columns)
    made = encoding(columns, numeric=("x",))
    assert made.encode({"x": ["old", "3"]}).tolist() == [[14.5, 1], [3, 0]]
    assert len(encoding(columns, categorical=("x",)).outputs) == 31


def test_a_column_that_names_rows_is_left_out_and_said() -> None:
    columns = {"name": [f"n{i}" for i in range(30)], "x": list(range(30)), "empty": [None] * 30}
    made, said = ColumnTable(frame_of(columns)).fit(slice(None))
    assert made.names == ("x",)
    assert 'column "name" has 30 different texts in 30 cells' in said[0] and "no value at all" in said[-1]
    kept, _ = ColumnTable(frame_of(columns), Choices(categorical=("name",))).fit(slice(None))
    assert len(kept.outputs) == 31


def test_a_column_that_counts_rows_is_said() -> None:
    _, said = ColumnTable(frame_of({"id": list(range(1, 41)), "x": [3, 1] * 20})).fit(slice(None))
    assert said == ('column "id" counts the rows from 1; if it means nothing, leave it out with ignore=id',)
    numbers = np.random.default_rng(0).permutation(1000)[:40]
    _, said = ColumnTable(frame_of({"customer_id": numbers, "size": numbers})).fit(slice(None))
    assert len(said) == 1 and '"customer_id" has another number in each row, so it seems to name them' in said[0]


def test_columns_are_found_by_name_and_missing_ones_are_named() -> None:
    made = encoding({"a": [1, 2], "b": ["x", "y"]})
    assert made.encode({"z": [0], "b": ["y"], "a": [5]}).tolist() == [[5, 0, 1]]
    with pytest.raises(DataError, match=r'has no column "b"; its columns are a'):
        made.encode({"a": [1]})
    with pytest.raises(DataError, match="lacks the columns a, b; it has c"):
        made.encode({"c": [1]})


def test_an_encoding_is_stored_as_canonical_text() -> None:
    made = encoding({"n": [1.5, None], "c": ["ä", None], "ok": ["yes", "no"], "d": ["2020-01-01", "2020-01-02"]})
    text = made.as_text()
    assert ColumnEncoding.from_text(text) == made and ColumnEncoding.from_text(text).as_text() == text


def test_a_hostile_text_is_refused() -> None:
    made = encoding({"n": [1.5, None], "c": ["a", None], "ok": ["yes", "no"], "d": ["2020-01-01", "2020-01-02"]})
    good = json.loads(made.as_text())
    values: list[Any] = [None, True, -1, 1e999, "x", [], {}, [1], ["a", "a"], 2**70]
    refused = 0
    for column in range(len(good)):
        for key in good[column]:
            for value in values:
                bad = json.loads(json.dumps(good))
                bad[column][key] = value
                try:
                    ColumnEncoding.from_text(json.dumps(bad)).encode(
                        {"n": [1], "c": ["a"], "ok": ["no"], "d": ["2020-01-01"]}
                    )
                except (ValueError, DataError):
                    refused += 1
    assert refused > 150
    for text in ("", "{}", "[]", "[1]", '[{"kind":"number"}]', "[" * 100_000, '[{"kind":["number"]}]'):
        with pytest.raises(ValueError, match=r"column|Expecting|delimiter"):
            ColumnEncoding.from_text(text)
