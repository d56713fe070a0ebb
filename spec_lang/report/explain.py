"""What an error's code means, at length: `nnspec explain E301`."""

from textwrap import fill

from nnspec.spec_lang.check.examination import check, shape_missing
from nnspec.spec_lang.report.codes import CODES, TABLE
from nnspec.spec_lang.report.diagnostics import Diagnostic, near, one_of
from nnspec.spec_lang.report.errors import NNSpecError, SpecError
from nnspec.spec_lang.report.render import render
from nnspec.spec_lang.source import Source

WIDTH = 96


def explain(code: str) -> str:
    """The meaning of a code, an example with its error, and the example mended; NNSpecError for an unknown code."""
    entry = TABLE.get(code.upper())
    if entry is None:
        close = near(code.upper(), [known.lower() for known in CODES])
        help = f"did you mean {close.upper()}?" if close else f"the codes are {one_of(CODES)}"
        raise NNSpecError(f'no error has the code "{code}": {help}')
    error = example(code.upper())
    return "\n".join(
        [
            f"{code.upper()}: {entry.title}",
            "",
            fill(entry.explanation, WIDTH),
            "",
            "This spec has it:",
            "",
            _indented(entry.bad),
            "",
            _indented(render(error)),
            "",
            "Mended:",
            "",
            _indented(entry.mended),
        ]
    )


def example(code: str) -> Diagnostic:
    """The error that the bad example of a code has."""
    source = Source("bad.nnspec", TABLE[code].bad)
    try:
        spec = check(source)
    except SpecError as error:
        return next(diagnostic for diagnostic in error.diagnostics if diagnostic.code == code)
    return shape_missing(spec)  # whoever builds the network asks for the shape; the spec alone is sound


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.rstrip("\n").split("\n"))
