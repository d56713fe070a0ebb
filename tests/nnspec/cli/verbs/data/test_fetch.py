"""nnspec data fetch."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command


def test_a_set_that_is_here_is_only_located(nnspec: Command) -> None:
    fetched = nnspec("data", "fetch", "mnist_sample")
    assert (fetched.code, fetched.err) == (0, "")
    assert Path(fetched.out.strip()).is_file()


def test_what_cannot_be_had_is_wrong_use(nnspec: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNSPEC_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    failed = nnspec("data", "fetch", "mnist")
    assert (failed.code, failed.out) == (2, "") and "NNSPEC_OFFLINE" in failed.err
    failed = nnspec("data", "fetch", "mnst")
    assert failed.code == 2 and "did you mean mnist?" in failed.err
