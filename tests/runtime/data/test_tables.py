"""CSV tables: the good ones, and what is said about the others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import Data, DataError, load_data
from nnspec.spec_lang.vocabulary.data_tables import Csv

IRIS = """\
length,width,species
5.1,3.5,setosa
7.0,3.2,versicolor
6.3,3.3,virginica
4.9,3.0,setosa
"""


def load(
    tmp_path: Path, text: str | bytes, target: str = "species", classification: bool = True, **options: Any
) -> Data:
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "iris.csv").write_bytes(content)
    return load_data(Csv(path="iris.csv", target=target, **{"split": (1, 0), **options}), tmp_path, classification)


def test_text_targets_are_classes_sorted_by_name(tmp_path: Path) -> None:
    data = load(tmp_path, IRIS)
    assert data.preprocessing.classes == ("setosa", "versicolor", "virginica")
    assert data.preprocessing.features == ("length", "width")
    assert data.train.targets.tolist() == [0, 1, 2, 0] and data.train.targets.dtype == np.int64
    assert data.train.inputs.tolist() == [[5.1, 3.5], [7.0, 3.2], [6.3, 3.3], [4.9, 3.0]]
    assert data.validation is None and data.test is None


def test_the_target_may_stand_anywhere_and_cells_may_be_quoted(tmp_path: Path) -> None:
    text = '\ufeff"kind, of";a;b\r\n"x ""y""";1;2\r\n\r\nz; 3 ;4e1\r\n'
    data = load(tmp_path, text, target="kind, of", separator=";")
    assert data.preprocessing.classes == ('x "y"', "z") and data.train.inputs.tolist() == [[1, 2], [3, 40]]


def test_whole_numbers_are_classes_where_the_loss_is_about_classes(tmp_path: Path) -> None:
    text = "a,y\n1,0\n2,2\n3,1\n"
    classes, numbers = load(tmp_path, text, "y"), load(tmp_path, text, "y", classification=False)
    assert classes.train.targets.tolist() == [0, 2, 1] and classes.preprocessing.classes == ("0", "1", "2")
    assert numbers.train.targets.tolist() == [[0.0], [2.0], [1.0]] and numbers.preprocessing.classes is None
    assert (classes.preprocessing.task, numbers.preprocessing.task) == ("classification", "regression")


def test_a_test_table_is_read_by_name_of_column(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("species,note,width,length\nsetosa,1,3.4,5.0\n")
    data = load(tmp_path, IRIS, test="test.csv")
    assert data.test is not None and data.test.inputs.tolist() == [[5.0, 3.4]] and data.test.targets.tolist() == [0]


def test_a_class_of_the_test_table_alone_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("species,width,length\nsetosa,3.4,5.0\nrose,1,2\n")
    with pytest.raises(DataError, match=r'class "rose" is only in test\.csv \(.*test\.csv, line 3\)'):
        load(tmp_path, IRIS, test="test.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (IRIS.replace("3.3", "-inf"), r'line 4, column "width" holds -inf'),
        (IRIS.replace("3.2", "wide"), r'line 3, column "width" holds "wide", which is not a number.*numeric=width'),
        (IRIS.replace(",versicolor", ""), r"line 3 has 2 values, and the table has 3 columns"),
        (IRIS.replace("versicolor", ""), r'line 3: the target "species" is empty'),
        (IRIS.replace("species", "spezies"), r'no column "species"; did you mean "spezies"'),
        (IRIS.replace("species", "colour"), r'no column "species"; its columns are length, width, colour'),
        (IRIS.replace("width", "length"), 'two columns called "length"'),
        (IRIS.replace("length", ""), r"column 1 has no name.*index=False"),
        ("length,width,species\n", "has a header and no rows"),
        ("species\na\n", "no column but its target"),
        ("\n\n", "has no lines"),
        ("", "is not a table: it seems to be an empty file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not a table: it seems to be a PNG picture"),
        (IRIS.replace("setosa", '"setosa'), "line 5"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_place(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        load(tmp_path, text)
    assert "iris.csv" in str(error.value) and error.value.exit_code == 1


def test_text_targets_in_a_regression_name_the_first_cell_that_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'text, as "two" \(.*iris\.csv, line 3\).*softmax'):
        load(tmp_path, "a,y\n1,1\n2,two\n3,3\n", "y", classification=False)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("-1", r"label -1 is out of range: classes are counted from 0 \(.*line 3\)"),
        ("1.5", "label 1.5 is not a class"),
        ("nan", 'the target "y" is empty'),
        ("5e9", "label 5000000000 is out of range: the classes are 0 to 99,999"),
    ],
)
def test_a_number_that_is_no_class_is_told_with_its_line(tmp_path: Path, cell: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load(tmp_path, f"a,y\n1,0\n2,{cell}\n", "y")


def test_a_target_that_is_not_finite_is_told_in_a_regression(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the target is inf \(.*line 3\)"):
        load(tmp_path, "a,y\n1,0\n2,inf\n", "y", classification=False)


def test_a_missing_table_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "iris.csv").write_text(IRIS)
    with pytest.raises(DataError, match=r"did you mean .*iris\.csv") as error:
        load_data(Csv(path="irs.csv", target="species"), tmp_path, True)
    assert error.value.exit_code == 2


def test_a_validation_table_is_the_validation_split_whatever_the_shares(tmp_path: Path) -> None:
    for name, rows in (("a", 40), ("v", 7), ("t", 5)):
        lines = "".join(f"{i},{'xy'[i % 2]}\n" for i in range(rows))
        (tmp_path / f"{name}.csv").write_text(f"n,kind\n{lines}")
    word = Csv(path="a.csv", target=("kind",), validation="v.csv", test="t.csv")
    data = load_data(word, tmp_path, True)
    assert [len(split) for _, split in data.splits()] == [40, 7, 5]
    with pytest.raises(DataError, match="validation split of its own, and folds= makes another"):
        load_data(word.model_copy(update={"folds": 3}), tmp_path, True)
    shifted = word.moved(tmp_path, tmp_path / "deeper")
    assert shifted.validation == "../v.csv"
