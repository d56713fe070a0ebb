"""The errors a caller can make; every room's public errors descend from NNSpecError."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.spec_lang.report.diagnostics import Diagnostic


class NNSpecError(Exception):
    """The base of every error that nnspec raises on purpose: its text is written for the person who made it."""


class SpecError(NNSpecError):
    """A spec that cannot be used; `diagnostics` holds every error found, in order of place."""

    def __init__(self, diagnostics: "list[Diagnostic]"):
        from nnspec.spec_lang.report.render import render_all

        self.diagnostics = diagnostics
        super().__init__(render_all(diagnostics))


class SourceError(NNSpecError):
    """A spec file that is not there or cannot be read: wrong use of a command, not an error in a spec."""
