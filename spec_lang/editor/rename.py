"""Renaming of lets, blocks, parameters, variants and named layers, with all their mentions."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nnspec.spec_lang.check.collect import language_word
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.edits import edited
from nnspec.spec_lang.editor.symbols import Mention, mention_at, mentions, path_of, references
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


def rename(document: Document, offset: int, name: str, includers: Sequence[Document] = ()) -> list[Fix]:
    """Return the edits that rename the symbol at an offset, in the text, in what it includes and in `includers`.

    Raises RenameError if there is no symbol of the spec, or if the new name would be an error or is taken.
    """
    found = renamable(document, offset)
    if found is None:
        raise RenameError("there is no name of the spec's own here: a let, a block, a variant, or a layer's name")
    if not is_name(name):
        raise RenameError(f'"{name}" is not a name: it is letters, digits and _, and does not begin with a digit')
    meaning = language_word(name)
    if meaning is not None and (found.symbol.kind == "block" or (found.symbol.kind, meaning) == ("layer", "statement")):
        raise RenameError(f'"{name}" is a {meaning} of the language: choose another name')
    edits = [Fix(m.span, name) for m in references(document, offset, includers)]
    if name != found.symbol.name:
        for around in (document, *includers):
            _try(around, edits)
        _refuse_taken((document, *includers), found, name)
    return edits


def _try(document: Document, edits: Sequence[Fix]) -> None:
    """Raise RenameError if the edited document would have an error that the document does not have."""
    by_path: dict[Path, list[Fix]] = {}
    for fix in edits:
        by_path.setdefault(path_of(fix.span.source), []).append(fix)
    unsaved = dict(document.unsaved)
    for path, fixes in by_path.items():
        unsaved[path] = edited(fixes[0].span.source.text, fixes)
    source = document.source
    text = unsaved.get(path_of(source), source.text)
    after = Document(Source(source.name, text, source.folder, source.included), unsaved)
    new = Counter(f.code for f in after.examined.found) - Counter(f.code for f in document.examined.found)
    first = next((finding for finding in after.examined.found if finding.code in new), None)
    if first is not None:
        raise RenameError(f"{first.message}{f': {first.help}' if first.help else ''}")


def _refuse_taken(documents: Sequence[Document], found: Mention, name: str) -> None:
    every = (m for document in documents for m in mentions(document) if m.symbol.name == name)
    taken = next((m for m in every if m.symbol.kind in _rivals(found.symbol.kind)), None)
    if taken is not None:
        line, _ = taken.span.source.place(taken.span.start)
        raise RenameError(f'"{name}" is already in line {line} of {taken.span.source.name}')


def _rivals(kind: str) -> tuple[str, ...]:
    """Return the kinds of symbol that share a namespace with this kind."""
    return ("let", "parameter") if kind in ("let", "parameter") else (kind,) if kind != "layer" else ()
