"""The error in the bad example of each code, found by checking it."""

from nnspec.spec_lang.check.examination import check_source, shape_missing
from nnspec.spec_lang.report.codes import TABLE
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source


def example_error(code: str) -> Diagnostic:
    """Return the error of this code in its bad example."""
    source = Source("bad.nnspec", TABLE[code].bad)
    try:
        spec = check_source(source)
    except SpecError as error:
        return next(diagnostic for diagnostic in error.diagnostics if diagnostic.code == code)
    if spec.warnings:
        return next(warning for warning in spec.warnings if warning.code == code)
    return shape_missing(spec)  # E302: the spec is sound, and only building its network needs the shape
