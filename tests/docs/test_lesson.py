"""The lesson: each exercise fails with a hint, each solution passes, and the pages show what comes out."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command, nnspec  # noqa: F401
from tests.support.spec_texts import ROOT
from tools import pages

LESSON = ROOT / "docs" / "lesson"
EXERCISES = sorted(LESSON.glob("*.nnspec"))
STEPS = sorted(LESSON.glob("[1-6]-*.md"))
QUICK = ("optimizers", "sine")
"""Exercises of a second; the others are left to make test."""


def quick(names: list[str]) -> list[object]:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in names]


@pytest.mark.parametrize("name", quick([path.stem for path in EXERCISES]))
def test_an_exercise_misses_with_a_hint_and_its_solution_passes(name: str, nnspec: Command) -> None:  # noqa: F811
    exercise, solution = LESSON / f"{name}.nnspec", LESSON / "solutions" / f"{name}.nnspec"
    unsolved = nnspec("test", exercise)
    assert unsolved.code == 1 and "MISSED" in unsolved.out, unsolved.err
    assert len(unsolved.out.partition("  help: ")[2].splitlines()[0].split()) > 5
    solved = nnspec("test", solution)
    assert solved.code == 0, solved.out


def test_a_solution_differs_from_its_exercise_in_a_line() -> None:
    assert len(EXERCISES) == 7
    for path in EXERCISES:
        unsolved, solved = (file.read_text().splitlines()[1:] for file in (path, LESSON / "solutions" / path.name))
        assert len(unsolved) == len(solved)
        assert sum(a != b for a, b in zip(unsolved, solved, strict=True)) == 1, path.name


@pytest.mark.parametrize("page", STEPS, ids=lambda page: page.stem)
def test_a_page_shows_the_exercises_as_they_are(page: Path) -> None:
    shown = {block.file: block.body for block in pages.blocks(page.read_text(encoding="utf-8")) if block.file}
    assert shown
    for name, text in shown.items():
        assert text == (LESSON / name).read_text(), name


@pytest.mark.long
@pytest.mark.parametrize("page", STEPS, ids=lambda page: page.stem)
def test_the_commands_of_a_step_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNSPEC_OFFLINE", "1")
    assert "\n\n".join(pages.disagreements(page, tmp_path)) == ""
