"""Tables with several targets, weights, groups, windows, and other tables seen as a network was trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.data import DataError, Preprocessing, load_data, read_inputs
from nnspec.spec_lang.vocabulary.data_tables import Csv
from nnspec.spec_lang.vocabulary.statements import Weights


def write(tmp_path: Path, header: str, rows: list[str]) -> Path:
    (tmp_path / "t.csv").write_text("\n".join([header, *rows]))
    return tmp_path


def test_several_targets_are_numbers_or_yes_and_no(tmp_path: Path) -> None:
    write(tmp_path, "x,a,b,ok", [f"{i},{i + 1},{2 * i},{'yes' if i % 2 else 'no'}" for i in range(6)])
    data = load_data(Csv(path="t.csv", target=("b", "a"), features="x", split=(1, 0)), tmp_path, False)
    assert data.train.targets[2].tolist() == [4, 3] and data.preprocessing.features == ("x",)
    both = load_data(Csv(path="t.csv", target=("ok", "a"), split=(1, 0)), tmp_path, False)
    assert both.train.targets[1].tolist() == [1, 2] and both.preprocessing.features == ("x", "b")
    write(tmp_path, "x,a,kind", ["1,2,red", "3,4,blue"])
    with pytest.raises(DataError, match=r'line 2, column "kind" holds "red", and one of several targets must be'):
        load_data(Csv(path="t.csv", target=("kind", "a")), tmp_path, False)


def test_columns_are_chosen_by_name_and_pattern(tmp_path: Path) -> None:
    write(tmp_path, "id,day_1,day_2,x,y", [f"{i},1,2,{i},{i % 2}" for i in range(6)])
    chosen: Any = {"path": "t.csv", "target": "y", "split": (1, 0)}
    assert load_data(Csv(**chosen, ignore=("id", "day_*")), tmp_path, True).preprocessing.features == ("x",)
    assert load_data(Csv(**chosen, features=("x", "day_2")), tmp_path, True).preprocessing.features == ("x", "day_2")
    with pytest.raises(DataError, match=r'no column "dya_1"; did you mean "day_1"'):
        load_data(Csv(**chosen, ignore="dya_1"), tmp_path, True)
    with pytest.raises(DataError, match=r'no column "z"; its columns are id, day_1'):
        load_data(Csv(**chosen, features="z"), tmp_path, True)


def test_groups_and_weights_are_no_features(tmp_path: Path) -> None:
    write(tmp_path, "who,w,x,y", [f"p{i % 5},{1 + i % 2},{i * 7 % 11},{i % 2}" for i in range(30)])
    word = Csv(path="t.csv", target="y", group="who", split=(60, 40))
    data = load_data(word, tmp_path, True, Weights(column="w"))
    assert data.preprocessing.features == ("x",) and data.train.weights is not None
    assert len(data.train) % 6 == 0 and set(data.train.weights.round(6)) == set((np.array([1, 2]) / 1.5).round(6))


def test_a_series_with_categories_and_dates_is_encoded_by_its_training_windows(tmp_path: Path) -> None:
    days = np.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]").astype(str)
    rows = [f"{day},{'sun' if i % 3 else 'rain'},{i}" for i, day in enumerate(days)]
    write(tmp_path, "day,sky,load", rows)
    word = Csv(path="t.csv", target="load", window=4, split=(50, 50))
    data = load_data(word, tmp_path, False)
    features = data.preprocessing.features
    assert features is not None and features[-3:] == ("sky=rain", "sky=sun", "load")
    assert data.train.inputs.shape[1:] == (4, len(features)) and data.train.targets[0].tolist() == [4.0]
    assert data.preprocessing.shift[-3:-1].tolist() == [0, 0]  # one-hot columns are not normalized
    found = read_inputs(tmp_path / "t.csv", data.preprocessing)
    assert len(found) == len(rows) - 3 and np.array_equal(found[0][1], data.train.inputs[0])
    assert found[0][0].endswith("t.csv:5")


def test_other_rows_are_encoded_as_the_network_was_trained(tmp_path: Path) -> None:
    write(tmp_path, "code,c,x,y", [f"{i % 3:02d},{'ab'[i % 2]},{i},{i % 2}" for i in range(12)])
    word = Csv(path="t.csv", target="y", categorical="code", split=(1, 0))
    trained = load_data(word, tmp_path, True).preprocessing
    (tmp_path / "other.csv").write_text("x,y,more,code,c\n5,1,text,02,b\n7,0,text,01,c\n")
    other = load_data(Csv(path="other.csv", target="y", split=(1, 0)), tmp_path, True, known=trained)
    assert other.preprocessing.features == trained.features
    assert other.train.inputs.tolist() == [[0, 0, 1, 0, 1, 5], [0, 1, 0, 0, 0, 7]]
    assert 'holds "c", which training did not see' in other.warnings[0]
    rows = [sample.tolist() for _, sample in read_inputs(tmp_path / "other.csv", trained)]
    assert rows == other.train.inputs.tolist()


def test_statistics_are_of_the_training_rows_alone(tmp_path: Path) -> None:
    write(tmp_path, "x,c,y", [*(f"{i},a,{i % 2}" for i in range(8)), ",b,1", "1000,z,0"])
    data = load_data(Csv(path="t.csv", target="y", by="time", split=(80, 20)), tmp_path, True)
    assert data.preprocessing.features == ("x", "c=a") and data.preprocessing.shift[0] == 3.5
    assert data.validation is not None and data.validation.inputs.tolist() == [[3.5, 0], [1000, 0]]
    assert len(data.warnings) == 3


def test_columns_in_a_checkpoint_that_do_not_fit_its_features_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "c,x,y", [f"{'ab'[i % 2]},{i},{i % 2}" for i in range(12)])
    entries = load_data(Csv(path="t.csv", target="y"), tmp_path, True).preprocessing.as_entries()
    assert Preprocessing.from_entries(entries).columns is not None
    columns = str(entries["columns"])
    for bad in ("", "[]", columns.replace('"b"', '"c"'), columns.replace("category", "picture"), np.zeros(3)):
        with pytest.raises(DataError, match="the preprocessing stored in the checkpoint has columns"):
            Preprocessing.from_entries({**entries, "columns": bad})
