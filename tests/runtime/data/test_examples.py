"""Example data: written once, the same at every call, and never over a file."""

from pathlib import Path

import pytest

from nnspec.runtime.data import DataError
from nnspec.runtime.data.examples import EXAMPLES, write_example

OWN = ("hourly", "passengers")


@pytest.mark.parametrize("name", OWN)
def test_what_is_made_up_is_the_same_at_every_call(name: str, tmp_path: Path) -> None:
    first, second = write_example(name, tmp_path / "a" / "b"), write_example(name, tmp_path / "c")
    assert first == tmp_path / "a" / "b" / EXAMPLES[name].file
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(DataError, match="exists already: name another folder"):
        write_example(name, tmp_path / "c")


def test_the_passengers_have_every_kind_of_column_and_missing_cells(tmp_path: Path) -> None:
    lines = write_example("passengers", tmp_path).read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    assert len(rows) == 900 and {len(row) for row in rows} == {8}
    ages, ports = [row[3] for row in rows], {row[6] for row in rows}
    assert 0.1 < ages.count("") / 900 < 0.3 and ports == {"", "Cork", "Dover", "Brest"}
    women = [row[7] == "yes" for row in rows if row[2] == "female"]
    men = [row[7] == "yes" for row in rows if row[2] == "male"]
    assert sum(women) / len(women) > 0.3 + sum(men) / len(men)


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='no example is called "ourly"; did you mean hourly') as error:
        write_example("ourly", tmp_path)
    assert error.value.exit_code == 2
