"""What the checker says about a text, in the forms that tests ask for."""

from collections.abc import Mapping

from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.overrides import overrides_from
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source

NAME = "net.nnspec"


def spec_of(
    text: str | bytes | Source,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: str | None = None,
    seed: int | None = None,
    shape: tuple[int, ...] | None = None,
    classes: int | None = None,
) -> Spec:
    """The checked spec."""
    source = text if isinstance(text, Source) else Source(NAME, text)
    return check_source(source, overrides_from(settings or {}, data, seed), variant, shape, classes)


def errors_of(text: str | bytes | Source, **outside: object) -> list[Diagnostic]:
    """Every error in a text, in order; none where it is sound."""
    try:
        spec_of(text, **outside)  # type: ignore[arg-type]
    except SpecError as error:
        return error.diagnostics
    return []


def codes_of(text: str | bytes | Source, **outside: object) -> list[str]:
    """The codes alone."""
    return [error.code for error in errors_of(text, **outside)]


def error_of(text: str | bytes | Source, **outside: object) -> Diagnostic:
    """The one error in a text."""
    (error,) = errors_of(text, **outside)
    return error


def places_of(text: str, **outside: object) -> list[tuple[str, int, int]]:
    """Code, line and column of every error."""
    return [(error.code, *error.span.source.place(error.span.start)) for error in errors_of(text, **outside)]
