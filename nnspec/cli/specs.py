"""The spec that an argument names: a file, the text of a network, or - for standard input."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.spec_lang.source import Source

STDIN = "-"


def spec_named(file: str) -> "Source":
    """Return the source of a spec; relative paths in standard input start at the current folder.

    Raises SourceError if the file cannot be read.
    """
    from nnspec.spec_lang.limits import MAX_TEXT_BYTES
    from nnspec.spec_lang.source import Source
    from nnspec.spec_lang.syntax.files import open_source

    if file != STDIN:
        return open_source(file)
    return Source("<stdin>", sys.stdin.buffer.read(MAX_TEXT_BYTES + 1))
