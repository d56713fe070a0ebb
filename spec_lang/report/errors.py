"""The errors that a caller can cause. The public errors of all rooms are subclasses of NNSpecError."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.spec_lang.report.diagnostics import Diagnostic


class NNSpecError(Exception):
    """The base of every error that nnspec raises on purpose. Its text is written for the user."""


class SpecError(NNSpecError):
    """A spec with errors; `diagnostics` has all of them, in order of place."""

    def __init__(self, diagnostics: "list[Diagnostic]"):
        from nnspec.spec_lang.report.render import render_all

        self.diagnostics = diagnostics
        super().__init__(render_all(diagnostics))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.diagnostics,)


class SourceError(NNSpecError):
    """A spec file that does not exist or cannot be read: wrong use of a command, not an error in a spec."""
