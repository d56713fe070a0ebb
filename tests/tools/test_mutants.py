"""tools.mutants disables one guard at a time."""

from pathlib import Path

import pytest

from tools import mutants
from tools.mutants import ROOT, TESTS

FILE = """
def write(path, data):
    if not data:
        raise ValueError(path)
    if path:
        print(path)
    fsync(path)
    translated(sweep, path)
    print(data)
    return [name for name in path if name in data]
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[mutants.Mutant]:
    """The mutants of FILE."""
    (tmp_path / "file.py").write_text(FILE)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    return list(mutants.mutants(Path("file.py")))


def test_only_guards_are_disabled(found: list[mutants.Mutant]) -> None:
    assert {mutant.guard for mutant in found} == {
        "if not data",
        "fsync(path)",
        "translated(sweep, path)",
        "if name in data",
    }


def test_a_mutant_differs_in_its_guard_alone(found: list[mutants.Mutant]) -> None:
    first = next(mutant for mutant in found if mutant.guard == "if not data")
    assert first.text == FILE.replace("not data", "False")


def test_every_file_and_test_that_is_named_exists() -> None:
    missing = [
        name for name in (*TESTS, *(test for tests in TESTS.values() for test in tests)) if not (ROOT / name).exists()
    ]
    assert missing == []
