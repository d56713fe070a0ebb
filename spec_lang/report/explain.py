"""The explanation of an error code, as `nnspec explain E301` prints it."""

from collections.abc import Callable
from textwrap import fill

from nnspec.spec_lang.report.codes import CODES, TABLE
from nnspec.spec_lang.report.diagnostics import Diagnostic, near, one_of
from nnspec.spec_lang.report.errors import NNSpecError
from nnspec.spec_lang.report.render import render

PARAGRAPH_WIDTH = 96


def explain(code: str, example_error: Callable[[str], Diagnostic]) -> str:
    """Return the explanation of a code, an example with its error, and the example without it.

    `example_error` returns the error in the example of a code. Raises NNSpecError for an unknown code.
    """
    entry = TABLE.get(code.upper())
    if entry is None:
        close = near(code.upper(), [known.lower() for known in CODES])
        help = f"did you mean {close.upper()}?" if close else f"the codes are {one_of(CODES)}"
        raise NNSpecError(f'no error has the code "{code}": {help}')
    error = example_error(code.upper())
    return "\n".join(
        [
            f"{code.upper()}: {entry.title}",
            "",
            fill(entry.explanation, PARAGRAPH_WIDTH),
            "",
            "This spec has the error:",
            "",
            _indented(entry.bad),
            "",
            _indented(render(error)),
            "",
            "Fixed:",
            "",
            _indented(entry.fixed),
        ]
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.rstrip("\n").split("\n"))
