"""A table as people have it: trained on, predicted on, evaluated, resumed, all from raw rows."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nnspec import api
from tests.nnspec.conftest import Command

COLUMNS = ("id", "survived", "class", "name", "sex", "age", "fare", "booked", "alone")


@pytest.fixture
def titanic(tmp_path: Path) -> Path:
    """A table of passengers as CSV, with text, dates, missing values and a column that names rows."""
    random = np.random.default_rng(0)
    with open(tmp_path / "titanic.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for row in range(120):
            sex, alone = random.choice(["male", "female"]), random.choice(["yes", "no"])
            age = "" if row % 5 == 0 else int(random.integers(1, 80))
            survived = ["died", "lived"][int(random.random() < (0.8 if sex == "female" else 0.2))]
            date = f"{1 + row % 28:02d}.04.1912" if row % 9 else "NA"
            kind = int(random.integers(1, 4))
            rows.writerow(
                [row + 1, survived, kind, f"Mr {row}", sex, age, round(float(random.random()), 3), date, alone]
            )
    (tmp_path / "net.nnspec").write_text(
        "network net\ndense 8 relu -> dense 2 softmax\ntrain 3 epochs\n"
        'data csv "titanic.csv" target=survived ignore=id categorical=class split=60/20/20\n'
    )
    return tmp_path / "titanic.csv"


def test_raw_rows_go_in_and_names_come_out(nnspec: Command, titanic: Path, tmp_path: Path) -> None:
    trained = nnspec("train", "net.nnspec", "--out", "run")
    assert trained.code == 0
    for said in ("class: category, 3 one-hot: 1, 2, 3", "age: number, missing values become", "alone: boolean"):
        assert said in trained.err
    assert 'warning: column "name" has 120 different texts' in trained.err
    asked = nnspec("predict", "run", "titanic.csv", "--json")
    assert asked.code == 0 and len(asked.json["predictions"]) == 120 and asked.json["classes"] == ["died", "lived"]
    (tmp_path / "some.json").write_text(
        json.dumps([{"sex": "none", "class": 3, "fare": 1, "booked": "1912-04-10", "age": None, "alone": True}])
    )
    asked = nnspec("predict", "run", "some.json")
    assert asked.code == 0 and asked.out.split()[1] in ("died", "lived")
    assert 'column "sex" holds "none", which training did not see (female, male)' in asked.err
    (tmp_path / "cut.csv").write_text("sex,class\nmale,3\n")
    asked = nnspec("predict", "run", "cut.csv")
    assert asked.code == 1 and "cut.csv lacks the columns age, fare, booked, alone; it has sex, class" in asked.err


def test_a_table_is_evaluated_as_it_was_trained_on(nnspec: Command, titanic: Path, tmp_path: Path) -> None:
    assert nnspec("train", "net.nnspec", "--out", "run").code == 0
    own = nnspec("eval", "run", "--split", "all", "--json").json
    rows = titanic.read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join([rows[0], *rows[:0:-1]]))
    other = nnspec("eval", "run", "--data", "part.csv", "--split", "all", "--json").json
    assert other["loss"] == pytest.approx(own["loss"], rel=1e-6) and other["accuracy"] == own["accuracy"]


def test_a_run_on_a_table_is_resumed_to_the_bit(nnspec: Command, titanic: Path) -> None:
    assert nnspec("train", "net.nnspec", "--out", "whole", "--set", "train.epochs=4").code == 0
    resumed = nnspec("resume", "whole")
    assert resumed.code == 0 and "complete" in resumed.err
    network = api.load("whole")
    again = api.from_bytes(network.to_bytes())
    assert again.preprocessing.columns == network.preprocessing.columns is not None


def test_a_plan_says_how_columns_are_encoded(nnspec: Command, titanic: Path) -> None:
    shown = nnspec("plan", "net.nnspec")
    assert "booked: date, days since 1912-04-01, sine and cosine of week; missing values become" in shown.out
    assert "categorical=class" in shown.out
    data = nnspec("plan", "net.nnspec", "--json").json["data"]
    assert any("sex: category" in note for note in data["notes"]) and "names rows" in data["warnings"][0]


def test_a_file_alone_asks_for_its_target_and_lists_its_columns(nnspec: Command, titanic: Path) -> None:
    asked = nnspec("train", "dense 2 softmax", "--data", "titanic.csv")
    assert (
        asked.code == 2 and f"needs target=, the column to predict; its columns are {', '.join(COLUMNS)}" in asked.err
    )
    asked = nnspec("train", "dense 2 softmax", "--data", "titanic.csv target=survive")
    assert asked.code == 1 and 'no column "survive"; did you mean "survived"?' in asked.err
    assert nnspec("train", "dense 2 softmax", "--data", "titanic.csv target=survived", "--out", "r").code == 0


def test_a_table_with_labels_from_1_needs_no_renumbering(nnspec: Command, titanic: Path) -> None:
    trained = nnspec("train", "dense 3 softmax", "--data", "titanic.csv target=class", "--out", "r")
    assert trained.code == 0 and "the labels of titanic.csv are 1, 2 and 3: these are the names" in trained.err
    assert nnspec("predict", "r", "titanic.csv", "--json").json["classes"] == ["1", "2", "3"]
    assert nnspec("resume", "r").code == 0 and nnspec("eval", "r").code == 0


def test_the_weights_of_a_table_have_the_names_of_its_columns(nnspec: Command, titanic: Path, tmp_path: Path) -> None:
    assert nnspec("train", "net.nnspec", "--out", "run").code == 0
    assert nnspec("plot", "weights", "run", "--out", "weights.svg").code == 0
    drawn = (tmp_path / "weights.svg").read_text()
    for name in ("sex=female", "age is missing", "booked, sine of the week", "class=3"):
        assert f"<!-- {name} -->" in drawn


def test_several_targets_are_predicted_by_name(nnspec: Command, titanic: Path) -> None:
    statement = "titanic.csv target=age, fare ignore=id, name numeric=age"
    rows = titanic.read_text().splitlines()
    titanic.write_text("\n".join([rows[0], *(row for row in rows[1:] if row.split(",")[5])]))
    assert nnspec("train", "dense 2", "--data", statement, "--out", "run", "--set", "train.epochs=2").code == 0
    asked = nnspec("predict", "run", "titanic.csv")
    assert asked.out.splitlines()[0].split() == ["age", "fare"] and len(asked.out.splitlines()[1].split()) == 3
    found = nnspec("predict", "run", "titanic.csv", "--json").json
    assert found["columns"] == ["age", "fare"] and len(found["predictions"][0]["value"]) == 2


def test_categories_are_embedded_by_a_layer_that_the_plan_completes(nnspec: Command, titanic: Path) -> None:
    network = "embed_columns 2 -> dense 8 relu -> dense 2 softmax"
    statement = "titanic.csv target=survived ignore=id, name categorical=class"
    shown = nnspec("plan", network, "--data", statement)
    assert shown.code == 0 and 'embed_columns 2 blocks="0:3 3:2"' in shown.out
    assert nnspec("train", network, "--data", statement, "--out", "run", "--set", "train.epochs=3").code == 0
    assert nnspec("predict", "run", "titanic.csv").code == 0 and nnspec("resume", "run").code == 0
    asked = nnspec("train", network, "--data", "titanic.csv target=survived features=age, fare")
    assert asked.code == 1 and "no column of the data is one-hot" in asked.err


def test_a_wide_table_is_not_listed_column_by_column(nnspec: Command, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(40)]
    rows = [",".join([*("ab"[(row + number) % 2] for number in range(40)), str(row % 2)]) for row in range(30)]
    (tmp_path / "wide.csv").write_text("\n".join([",".join([*names, "y"]), *rows]))
    trained = nnspec(
        "train", "dense 2 softmax", "--data", "wide.csv target=y", "--out", "run", "--set", "train.epochs=1"
    )
    assert trained.code == 0 and trained.err.count("category") == 29
    assert "… and 11 notes more: nnspec plan shows all" in trained.err
