"""Markdown for pull requests and the summaries of CI jobs: tables whose cells hold any text as it is."""

import re
from collections.abc import Sequence

from nnspec.spec_lang.report.escapes import escaped

_SIGNS = re.compile(r"([\\`*_\[\]|~$])")
_REFERENCES = re.compile(r"([@#])(?=\w)")


def markdown_text(text: str) -> str:
    """Return a text of one line that Markdown shows as it is: no emphasis, link, mention, issue, table cell or HTML."""
    safe = escaped(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _SIGNS.sub(r"\\\1", safe).replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")
    return _REFERENCES.sub(r"\1<!-- -->", safe)


def markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return a table in GitHub's Markdown; columns in `right` are aligned right. Cells are plain texts."""
    rule = ["---:" if column in right else "---" for column in range(len(heading))]
    cells = [[markdown_text(cell) for cell in row] for row in (heading, *rows)]
    lines = [cells[0], rule, *cells[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
