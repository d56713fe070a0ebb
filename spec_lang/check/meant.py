"""An error in a call or a line, with what its author meant: the place, the help and the fix of a reading."""

from dataclasses import replace

from nnspec.spec_lang.check.collect import Statements
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.misfits import mends, read, without_fix
from nnspec.spec_lang.vocabulary.summary import known_words


def as_meant(plain: Diagnostic, span: Span, known: Statements, line: bool = True) -> Diagnostic:
    """Return an error in the text of a span with the place and the fix of what was meant, if that is known.

    The text is a line, or else a stage of a network.
    """
    if plain.span.source is not span.source or span.source.option:
        return plain  # an option of the command is no text of the language
    if not span.start <= plain.span.start <= span.end:
        return plain  # the value of a sweep, whose statement is not in the text
    blocks = {name: block.parameters for name, block in known.blocks.items()}
    reading = read(span, known_words(), blocks, line)
    if reading is not None:
        return reading.of(plain)
    inside = plain.fix is not None and span.start <= plain.fix.span.start <= span.end
    if plain.fix is not None and inside and not mends(span, plain.fix, known_words(), blocks, line):
        return without_fix(plain, known_words())
    return plain


def used_in(found: Diagnostic, span: Span) -> Diagnostic:
    """Return a finding in an option of the command with a note of the call that uses it."""
    if not found.span.source.option or span.source.option:
        return found
    return replace(found, notes=(*found.notes, f"used in {' '.join(span.text.split())}, at {span.shown()}"))
