"""nnspec data list."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command


def test_every_data_set_is_listed_with_its_size_and_place(
    nnspec: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path / "cache"))
    listed = nnspec("data", "list")
    assert (listed.code, listed.err) == (0, "")
    rows = {line.split()[0]: line for line in listed.out.splitlines()}
    assert "60,000  10,000  28x28x1  not here; run nnspec data fetch mnist" in rows["mnist"]
    assert "5,000   1,000  28x28x1" in rows["mnist_sample"] and "mnist_sample.npz" in rows["mnist_sample"]


def test_json_has_every_data_set(nnspec: Command) -> None:
    listed = {found["name"]: found for found in nnspec("data", "list", "--json").json["datasets"]}
    assert {"mnist", "mnist_sample", "dinos"} <= set(listed)
    assert listed["mnist_sample"]["train"] == 5000 and listed["mnist_sample"]["shape"] == [28, 28, 1]
    assert listed["dinos"]["path"] is not None
