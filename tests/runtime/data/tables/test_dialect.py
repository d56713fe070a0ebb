"""How a text file writes its table is found out, said, and may be given."""

from pathlib import Path

import pytest

from nnspec.runtime.data import DataError
from nnspec.runtime.data.tables.dialect import Options
from nnspec.runtime.data.tables.reading import read_csv


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("separator", "said"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), ("   ", "spaces"), (",", None)]
)
def test_the_separator_is_sniffed_and_said(tmp_path: Path, separator: str, said: str | None) -> None:
    lines = [("a", "b", "kind"), ("1", "2", "x"), ("3", "4", "y")]
    frame = read_csv(write(tmp_path, "\n".join(separator.join(line) for line in lines)))
    assert frame.names == ("a", "b", "kind") and frame.columns["b"].tolist() == [2, 4]
    assert frame.notes == (() if said is None else (f"t.csv: columns are separated by {said}",))


def test_a_comma_in_quotes_does_not_separate(tmp_path: Path) -> None:
    frame = read_csv(write(tmp_path, 'name;n\n"a, b, c";1\n"d, e, f";2\n'))
    assert frame.columns["name"].tolist() == ["a, b, c", "d, e, f"]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_sniffed_and_said(tmp_path: Path, encoding: str, said: str | None) -> None:
    text = "größe,art\n1.5,Müller\n2.5,Köln – Süd\n"
    frame = read_csv(write(tmp_path, text.encode(encoding)))
    assert frame.names == ("größe", "art") and frame.columns["art"].tolist() == ["Müller", "Köln – Süd"]
    assert frame.notes == (() if said is None else (f"t.csv: its text is {said}",))


def test_an_encoding_that_is_given_and_wrong_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,é\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"t\.csv is not text in utf-8 after line.*encoding="):
        read_csv(path, Options(encoding="utf-8"))
    assert read_csv(path, Options(encoding="latin-1")).columns["b"].tolist() == ["é"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x;y\n1,5;a\n2,25;b\n", [1.5, 2.25]),
        ("x;y\n1.234,5;a\n2,25;b\n", [1234.5, 2.25]),
        ('x,y\n"1,234.5",a\n2.25,b\n', [1234.5, 2.25]),
        ("x;y\n1 234,5;a\n2,25;b\n", [1234.5, 2.25]),
        ("x;y\n1'234.5;a\n2.25;b\n", [1234.5, 2.25]),
        ('x,y\n"1,234",a\n"12,345",b\n', [1234, 12345]),
        ("x;y\n1,234;a\n2,345;b\n", [1.234, 2.345]),
        ("x\ty\n-1e-3\ta\n.5\tb\n", [-0.001, 0.5]),
    ],
)
def test_the_decimal_sign_and_thousands_are_sniffed(tmp_path: Path, text: str, values: list[float]) -> None:
    frame = read_csv(write(tmp_path, text))
    assert frame.columns["x"].tolist() == values
    assert any("decimals have a comma" in note for note in frame.notes) == (frame.decimal == ",")


def test_a_decimal_sign_that_is_given_decides(tmp_path: Path) -> None:
    path = write(tmp_path, "x;y\n1,234;a\n2,345;b\n")
    assert read_csv(path, Options(decimal=".")).columns["x"].tolist() == [1234, 2345]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,rose\n", False),
        ("1,2\n3,4\n", False),
        ("length,width,kind\n5.1,3.5,setosa\n", True),
        ("a,b\nx,y\n", True),
        ("1,2,kind\n5.1,3.5,setosa\n", False),
    ],
)
def test_a_missing_header_is_noticed(tmp_path: Path, text: str, named: bool) -> None:
    frame = read_csv(write(tmp_path, text))
    assert frame.named == named
    if not named:
        assert frame.names[0] == "column1" and "there is no header line" in frame.notes[0]


def test_a_header_is_one_where_it_has_a_wanted_name_or_is_given(tmp_path: Path) -> None:
    path = write(tmp_path, "2019,2020,kind\n1,2,x\n3,4,y\n")
    assert read_csv(path, Options(columns=("kind",))).names == ("2019", "2020", "kind")
    assert read_csv(path, Options(header=True)).names == ("2019", "2020", "kind")
    assert len(read_csv(path, Options(header=False))) == 3


def test_comments_blank_lines_and_what_spreadsheets_add_are_left_out(tmp_path: Path) -> None:
    text = "sep=;\n# measured in May\n\na;b;;\n1;2;;\n;;;\n# later\n3;4;;\n"
    frame = read_csv(write(tmp_path, text), Options(comment="#"))
    assert frame.names == ("a", "b") and frame.columns["a"].tolist() == [1, 3]
    assert frame.lines is not None and frame.lines.tolist() == [5, 8] and "2 empty columns" in frame.notes[0]
    frame = read_csv(write(tmp_path, "# a comment\na,b\n1,2\n"))
    assert frame.names == ("a", "b") and 'begin with "#" are comments' in frame.notes[0]


def test_a_file_that_is_not_a_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it seems to be a web page"):
        read_csv(write(tmp_path, "<!doctype html><html><body>no such file</body></html>"))
    with pytest.raises(DataError, match="it seems to be a zip archive"):
        read_csv(write(tmp_path, b"PK\x03\x04\x00\x00"))
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04\x00\x00")
    with pytest.raises(DataError, match=r"t\.xlsx is a spreadsheet: save it as CSV"):
        read_csv(tmp_path / "t.xlsx")
