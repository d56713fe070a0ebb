"""Renaming of lets, blocks, parameters, variants and named layers, with all their mentions."""

from collections import Counter

from nnspec.spec_lang.check.collect import language_word
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.symbols import Mention, mention_at, mentions
from nnspec.spec_lang.report.diagnostics import Fix
from nnspec.spec_lang.report.errors import NNSpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.grammar import is_name


class RenameError(NNSpecError):
    """A rename that is not possible."""


def renamable(document: Document, offset: int) -> Mention | None:
    """Return the mention at an offset if its name is defined in this spec, else None."""
    found = mention_at(document, offset)
    if found is None or found.symbol.kind == "include":
        return None
    return found if any(m.symbol == found.symbol and m.defines for m in mentions(document)) else None


def rename(document: Document, offset: int, name: str) -> list[Fix]:
    """Return the edits that rename the symbol at an offset, also in included texts.

    Raises RenameError if there is no symbol of the spec, or if the new name would be an error or is taken.
    """
    found = renamable(document, offset)
    if found is None:
        raise RenameError("there is no name of the spec's own here: a let, a block, a variant, or a layer's name")
    if not is_name(name):
        raise RenameError(f'"{name}" is not a name: it is letters, digits and _, and does not begin with a digit')
    edits = [Fix(m.span, name) for m in mentions(document) if m.symbol == found.symbol]
    if name != found.symbol.name:
        _try(document, found, name, edits)
    return edits


def _try(document: Document, found: Mention, name: str, edits: list[Fix]) -> None:
    """Raise RenameError if the edited document would have an error that the document does not have."""
    own = [fix for fix in edits if fix.span.source is document.source]
    if len(own) == len(edits):
        source = document.source
        after = Document(Source(source.name, edited(source.text, own), source.folder, source.included))
        new = Counter(f.code for f in after.examined.found) - Counter(f.code for f in document.examined.found)
        first = next((finding for finding in after.examined.found if finding.code in new), None)
        if first is not None:
            raise RenameError(f"{first.message}{f': {first.help}' if first.help else ''}")
    meaning = language_word(name)
    if meaning is not None and (found.symbol.kind == "block" or (found.symbol.kind, meaning) == ("layer", "statement")):
        raise RenameError(f'"{name}" is a {meaning} of the language: choose another name')
    taken = [m for m in mentions(document) if m.symbol.name == name and m.symbol.kind in _rivals(found.symbol.kind)]
    if taken:
        line, _ = taken[0].span.source.place(taken[0].span.start)
        raise RenameError(f'"{name}" is already in line {line} of {taken[0].span.source.name}')


def _rivals(kind: str) -> tuple[str, ...]:
    """Return the kinds of symbol that share a namespace with this kind."""
    return ("let", "parameter") if kind in ("let", "parameter") else (kind,) if kind != "layer" else ()


def edited(text: str, edits: list[Fix]) -> str:
    """Return the text with all of these edits applied."""
    for fix in sorted(edits, key=lambda fix: fix.span.start, reverse=True):
        text = text[: fix.span.start] + fix.text + text[fix.span.end :]
    return text
