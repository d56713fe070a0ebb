"""The schedules: what they accept and how they are written."""

import pytest

from nnspec.spec_lang.check.canonical_text import canonical_text, short_text
from nnspec.spec_lang.vocabulary.schedules import Milestones
from tests.support.spec_findings import error_of, spec_of

SPEC = "input 4\ndense 10 softmax\nschedule {}\n"


def test_milestones_are_written_one_after_the_other_and_read_again() -> None:
    spec = spec_of(SPEC.format("milestones at=30,60.5, 80"))
    assert spec.schedule == Milestones(at=(30, 60.5, 80))
    assert "milestones at=30,60.5,80 factor=0.1" in " ".join(canonical_text(spec).split())
    assert spec_of(canonical_text(spec)).schedule == spec_of(short_text(spec)).schedule == spec.schedule


def test_one_milestone_is_enough_and_a_setting_from_outside_may_have_several() -> None:
    assert spec_of(SPEC.format("milestones at=5")).schedule == Milestones(at=(5,))
    spec = spec_of(SPEC.format("milestones at=5"), {"schedule.at": "3, 7"})
    assert spec.schedule == Milestones(at=(3, 7))


@pytest.mark.parametrize("at", ["60, 30", "30, 30", "0", "-3, 5"])
def test_milestones_that_do_not_rise_from_above_zero_are_refused(at: str) -> None:
    error = error_of(SPEC.format(f"milestones at={at}"))
    assert error.code == "E202" and "each later than the one before" in error.message


def test_one_cycle_has_its_own_rise_and_no_warmup() -> None:
    error = error_of(SPEC.format("one_cycle warmup=2"))
    assert error.code == "E202" and "pct_start=0.1" in error.message
