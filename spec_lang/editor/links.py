"""The files that a document names in its includes."""

from pathlib import Path
from typing import NamedTuple

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.symbols import mentions
from nnspec.spec_lang.source import Span


class Link(NamedTuple):
    """The span of a path without its quotes, and the file."""

    span: Span
    path: Path


def links(document: Document) -> list[Link]:
    """Return the includes of the document itself whose files exist, in order."""
    asked = [m for m in mentions(document) if m.symbol.kind == "include" and m.span.source is document.source]
    found: list[Link] = []
    for mention in asked:
        path = _file(document.source.folder, mention.symbol.name)
        if path is not None and path in document.reading.done:
            found.append(Link(Span(document.source, mention.span.start + 1, mention.span.end - 1), path))
    return found


def _file(folder: Path | None, written: str) -> Path | None:
    try:
        path = ((folder or Path()) / written).resolve()
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None
