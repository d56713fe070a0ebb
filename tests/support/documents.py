"""Documents to ask about; a `|` in a text is the place that is asked about."""

from pathlib import Path

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.source import Source


def pointed(text: str, folder: Path | None = None, mark: str = "|") -> tuple[Document, int]:
    """The document without the mark, and the mark's offset."""
    offset = text.index(mark)
    name = str(folder / "net.nnspec") if folder is not None else "net.nnspec"
    return Document(Source(name, text.replace(mark, "", 1), folder)), offset
