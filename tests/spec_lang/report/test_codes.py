"""The table of codes, and a golden file for each: what its error looks like."""

from pathlib import Path

import pytest

from nnspec.spec_lang.check import cross_checks as ends
from nnspec.spec_lang.check.code_examples import example_error
from nnspec.spec_lang.report.codes import CODES, TABLE
from nnspec.spec_lang.report.render import render
from tests.support.spec_findings import codes_of, spec_of

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(autouse=True)
def sixteen_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "physical_memory", lambda: 16_000_000_000)


def found_in(text: str) -> list[str]:
    """The codes of the errors in a text, of a sound one those of its warnings."""
    return codes_of(text) or [warning.code for warning in spec_of(text).warnings]


@pytest.mark.parametrize("code", CODES)
def test_every_code_happens_and_looks_as_it_always_did(code: str) -> None:
    assert render(example_error(code)) + "\n" == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_code() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_bad_example_has_its_error_and_no_other(code: str) -> None:
    assert found_in(TABLE[code].bad) == ([] if code == "E302" else [code])


@pytest.mark.parametrize("code", CODES)
def test_the_fixed_example_is_sound_and_changes_as_little_as_it_can(code: str) -> None:
    entry = TABLE[code]
    assert found_in(entry.fixed) == []
    changed = set(entry.bad.split("\n")) ^ set(entry.fixed.split("\n"))
    assert len(changed) <= 2, "one line is fixed, left out or added"
