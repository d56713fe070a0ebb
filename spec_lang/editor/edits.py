"""The difference between two texts as edits of whole lines, so that an editor keeps cursors, folds and breakpoints."""

from difflib import SequenceMatcher

from nnspec.spec_lang.report.diagnostics import Fix
from nnspec.spec_lang.source import Source, Span

MOST_COMPARED = 5_000
"""Lines that are compared one by one; a longer middle part is one edit, since the comparison takes quadratic time."""


def line_edits(source: Source, text: str) -> list[Fix]:
    """Return the edits of lines that turn a source into another text, in order; none where they are equal."""
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_end, new_end = len(old) - tail, len(new) - tail
    if max(old_end, new_end) - head > MOST_COMPARED:
        changes = [(head, old_end, head, new_end)]
    else:
        matched = SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
        changes = [
            (head + a, head + b, head + c, head + d) for tag, a, b, c, d in matched.get_opcodes() if tag != "equal"
        ]
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [Fix(Span(source, starts[a], starts[b]), "".join(new[c:d])) for a, b, c, d in changes if a < b or c < d]


def edited(text: str, edits: list[Fix]) -> str:
    """Return the text with all of these edits applied."""
    changes = [(span, fix.text) for fix in edits for span in fix.spans]
    for span, new in sorted(changes, key=lambda change: change[0].start, reverse=True):
        text = text[: span.start] + new + text[span.end :]
    return text


def _common(first: list[str], second: list[str]) -> int:
    """Return the number of equal lines at the start."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
