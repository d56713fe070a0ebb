"""Rows of a text file become columns of one type each."""

from pathlib import Path

import numpy as np
import pytest

from nnspec.runtime.data import DataError
from nnspec.runtime.data.tables import reading
from nnspec.runtime.data.tables.any_file import read_frame
from nnspec.runtime.data.tables.frame import frame_of
from nnspec.runtime.data.tables.reading import read_csv


def test_missing_values_have_many_spellings(tmp_path: Path) -> None:
    cells = ["", "NA", "n/a", "NaN", "null", "None", "?", "#N/A", "-"]
    (tmp_path / "t.csv").write_text("x,t\n" + "".join(f"{cell},{cell}\n" for cell in [*cells[1:], "1"]) + ",a\n")
    frame = read_csv(tmp_path / "t.csv")
    assert np.isnan(frame.columns["x"]).sum() == len(cells) and frame.columns["x"][-2] == 1
    assert frame.columns["t"].tolist() == [None] * 8 + ["1", "a"]


def test_a_column_that_turns_out_to_be_text_late_keeps_its_spelling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CHUNK", 3)
    (tmp_path / "t.csv").write_text("code,x\n" + "".join(f"{n:03d},{n}\n" for n in range(8)) + "A1,9\n")
    frame = read_csv(tmp_path / "t.csv")
    assert frame.columns["code"].tolist() == [f"{n:03d}" for n in range(8)] + ["A1"]
    assert frame.columns["x"].dtype == np.float64 and len(frame) == 9


def test_an_underscore_is_not_part_of_a_number(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,x\n2020_01,1\n2020_02,2\n")
    assert read_csv(tmp_path / "t.csv").columns["code"].tolist() == ["2020_01", "2020_02"]


def test_columns_may_be_kept_as_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("zip,x\n01234,1\n98765,2\n")
    assert read_csv(tmp_path / "t.csv", as_text=("zip",)).columns["zip"].tolist() == ["01234", "98765"]


def test_json_has_rows_or_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    rows = '[{"age": 40, "sex": "f", "ok": true}, {"age": null, "sex": null, "ok": false}]'
    for text in (
        rows,
        '{"age": [40, null], "sex": ["f", null], "ok": [true, false]}',
        rows[1:-1].replace("}, ", "}\n"),
    ):
        path.write_text(text)
        frame = read_frame(path)
        assert frame.columns["sex"].tolist() == ["f", None] and frame.columns["ok"].tolist() == ["true", "false"]
        assert frame.columns["age"][0] == 40 and np.isnan(frame.columns["age"][1])
    for text in ("[1, 2]", "[]", '{"a": ', "{" * 100_000):
        path.write_text(text)
        with pytest.raises(DataError, match=r"t\.json"):
            read_frame(path)


def test_arrays_and_lists_make_a_frame() -> None:
    frame = frame_of(
        {"n": [1, None, 3], "t": ["a", None, "b"], "d": np.array(["2020-01-01", "NaT", "2020-01-03"], "M8[D]")}
    )
    assert frame.columns["n"].dtype == np.float64 and frame.columns["d"].dtype == "datetime64[us]"
    with pytest.raises(DataError, match="differ in length"):
        frame_of({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match=r'column "a" of the table holds a dict'):
        frame_of({"a": [{}, {}]})


def test_any_bytes_are_a_table_or_an_error(tmp_path: Path) -> None:
    random, path = np.random.default_rng(0), tmp_path / "t.csv"
    letters = np.frombuffer(b'a1,;"\n\t#. -\xe9\x00', np.uint8)
    for _ in range(300):
        path.write_bytes(random.choice(letters, random.integers(1, 60)).tobytes())
        try:
            frame = read_csv(path)
        except DataError as error:
            assert "t.csv" in str(error)
        else:
            assert len(frame) > 0
