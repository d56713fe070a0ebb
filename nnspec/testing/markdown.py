"""The results of tests as a table in Markdown, for the summary of a CI job or a comment."""

from collections.abc import Sequence

from nnspec.cli.markdown import markdown_table
from nnspec.testing.run import ERROR, MISSED, PASSED, SKIPPED, Result, counted

_MARKS = {PASSED: "✅ met", MISSED: "❌ missed", ERROR: "❌ error", SKIPPED: "➖ skipped"}


def markdown(results: Sequence[Result]) -> str:
    """Return a heading and a table with a row for each expectation. Names from specs and files are escaped."""
    rows = [row for result in results for row in _rows(result)]
    table = markdown_table(("spec", "result", "expected", "measured", "seconds"), rows, right=(4,))
    return f"### nnspec test: {summary(results)}\n\n{table}"


def summary(results: Sequence[Result]) -> str:
    """Return how many specs ended how, in one line."""
    words = {PASSED: "passed", MISSED: "missed", ERROR: "in error", SKIPPED: "skipped"}
    found = [f"{number:,} {words[state]}" for state, number in counted(results).items() if number]
    return ", ".join(found)


def _rows(result: Result) -> list[tuple[str, ...]]:
    seconds = "" if result.state == SKIPPED else f"{result.seconds:.1f}"
    rows: list[tuple[str, ...]] = [
        (result.file, _MARKS[PASSED if case.met else MISSED], case.expected, case.measured, seconds)
        for case in result.cases
    ]
    if result.state in (ERROR, SKIPPED):
        rows.append((result.file, _MARKS[result.state], "", result.reason, seconds))
    return rows
