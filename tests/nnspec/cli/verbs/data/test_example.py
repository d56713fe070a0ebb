"""nnspec data example."""

import json
from pathlib import Path

from tests.nnspec.conftest import Command


def test_examples_are_listed_and_written(nnspec: Command, tmp_path: Path) -> None:
    listed = nnspec("data", "example")
    assert listed.code == 0 and {"iris", "hourly", "digits"} <= {line.split()[0] for line in listed.out.splitlines()}
    names = [found["name"] for found in json.loads(nnspec("data", "example", "--json").out)["examples"]]
    assert names[0] == "iris"
    assert nnspec("data", "example", "hourly").out == "wrote hourly.csv\n"
    assert json.loads(nnspec("data", "example", "hourly", "more", "--json").out)["path"] == str(Path("more/hourly.csv"))
    again = nnspec("data", "example", "hourly")
    assert again.code == 2 and "hourly.csv exists already" in again.err
