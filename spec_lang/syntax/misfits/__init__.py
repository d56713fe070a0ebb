"""Statements that do not fit, read as what their author meant. Each reading is a small function under a decorator.

`reading.read` walks over a statement loosely. Where the language's own rules do not fit, it asks the readers of this
package: what they recognise, what that means, and what to write instead. A reading is offered only if the language
reads the new text without another misfit. Nothing here is accepted in a spec: it makes help and fixes.

The functions here import it when a text does not fit: one without errors loads no reader.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
    from nnspec.spec_lang.report.known_words import KnownWords
    from nnspec.spec_lang.source import Source, Span
    from nnspec.spec_lang.syntax.misfits.reading import Reading


def read(
    span: "Span", words: "KnownWords", blocks: Mapping[str, Sequence[str]] | None = None, line: bool = True
) -> "Reading | None":
    """Return what the text of a span means, as `reading.read` does."""
    from nnspec.spec_lang.syntax.misfits import reading

    return reading.read(span, words, blocks, line)


def mends(
    span: "Span", fix: "Fix", words: "KnownWords", blocks: Mapping[str, Sequence[str]] | None = None, line: bool = True
) -> bool:
    """Return whether the text of a span is sound with a fix in it, as `reading.mends` does."""
    from nnspec.spec_lang.syntax.misfits import reading

    return reading.mends(span, fix, words, blocks, line)


def without_fix(plain: "Diagnostic", words: "KnownWords") -> "Diagnostic":
    """Return an error without a fix that does not mend it, as `reading.without_fix` does."""
    from nnspec.spec_lang.syntax.misfits import reading

    return reading.without_fix(plain, words)


def page(source: "Source", words: "KnownWords") -> "Diagnostic | None":
    """Return the error of a text that is of another kind as a whole, as `pages.page` does."""
    from nnspec.spec_lang.syntax.misfits import pages

    return pages.page(source, words)
