"""Broken specs as people type them, and what the check has to say about each.

A file of cases has a kind after ==, and a case on each line: the text with ¦ at the place of the error, the word that
mends it, which the help has to contain, and what is expected of the fix. A text of several lines has \\n in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnspec.spec_lang.editor.edits import edited
from nnspec.spec_lang.report.diagnostics import Diagnostic
from tests.support.spec_findings import errors_of

FOLDER = Path(__file__).parent
MARK = "¦"
AROUND = {
    "layers": ("input 28x28x1\n", "\n"),
    "settings": ("input 28x28x1\ndense 10 softmax\n", "\n"),
    "pages": ("", "\n"),
}
"""What is before and after the text of a case, by its file."""


@dataclass(frozen=True)
class Case:
    """A broken spec.

    Arguments:
        kind: what sort of mistake it is.
        text: the whole spec.
        place: the line and the column of the mistake.
        word: the word that mends it.
        fix: "sure", "unsure" where an editor may not apply it unasked, or "none" where no edit can be right.
    """

    kind: str
    text: str
    place: tuple[int, int]
    word: str
    fix: str

    def problems(self) -> list[str]:
        """Return what is wrong with the answer, nothing if it is as it should be."""
        errors = errors_of(self.text)
        if len(errors) != 1:
            return [f"{len(errors)} errors: {[error.message for error in errors]}"]
        (error,) = errors
        place = error.span.source.place(error.span.start)
        wrong = [] if place == self.place else [f"at {place}, not {self.place}"]
        if self.word not in (error.help or ""):
            wrong.append(f'the help has no "{self.word}": {error.message}; {error.help}')
        return wrong + list(self._fix_problems(error))

    def _fix_problems(self, error: Diagnostic) -> Iterator[str]:
        if (error.fix is not None) != (self.fix != "none"):
            yield f"the fix is {self.fix}, and is {error.fix and error.fix.text!r}"
        elif error.fix is not None:
            if error.fix.sure != (self.fix == "sure"):
                yield f"the fix is {self.fix}, and is {'sure' if error.fix.sure else 'unsure'}"
            mended = applied(error)
            left = errors_of(mended)
            if left:
                yield f"the fix does not mend: {mended!r}: {[found.message for found in left]}"


def applied(error: Diagnostic) -> str:
    """Return the text of an error's source with its fix."""
    assert error.fix is not None
    return edited(error.fix.span.source.text, [error.fix])


def cases() -> list[Case]:
    """Return every case of every file."""
    return [case for name in AROUND for case in _read(name)]


def _read(name: str) -> Iterator[Case]:
    before, after = AROUND[name]
    kind = ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("=="):
            kind = line.strip("= ")
        elif line and not line.startswith("# "):
            written, word, *fix = line.split(" ;; ")
            text = before + written.replace("\\n", "\n") + after
            start = text.index(MARK)
            place = (text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
            yield Case(kind, text.replace(MARK, ""), place, word, fix[0] if fix else "sure")
