"""`include "base.nnspec"`: another file's statements first; what follows replaces those of the same kind."""

from collections.abc import Sequence
from pathlib import Path

from spec_lang.diagnostics import Diagnostic
from spec_lang.errors import SourceError
from spec_lang.parse import parse
from spec_lang.source import Source, open_source
from spec_lang.syntax import Include, Statement

DEEPEST_INCLUDES = 64


def with_includes(source: Source) -> tuple[list[Sequence[Statement]], list[Diagnostic]]:
    """The statements of a spec by text, included ones before the text that includes them, and what was wrong."""
    texts: list[Sequence[Statement]] = []
    found: list[Diagnostic] = []
    root = (source.folder or Path()).resolve()
    _read(source, root, (), texts, found)
    return texts, found


def _read(
    source: Source, root: Path, chain: tuple[Path, ...], texts: list[Sequence[Statement]], found: list[Diagnostic]
) -> None:
    statements, wrong = parse(source)
    found += wrong
    for statement in statements:
        if isinstance(statement, Include):
            path = ((source.folder or Path()) / str(statement.path.value)).resolve()
            problem = _refusal(path, root, chain)
            if problem is not None:
                found.append(Diagnostic("E001", problem, statement.path.span))
                continue
            try:
                included = open_source(path)
            except SourceError as error:
                found.append(Diagnostic("E001", str(error), statement.path.span))
                continue
            shown = Source(_shown(path), included.content, path.parent)
            _read(shown, root, (*chain, path), texts, found)
    texts.append([statement for statement in statements if not isinstance(statement, Include)])


def _refusal(path: Path, root: Path, chain: tuple[Path, ...]) -> str | None:
    if not path.is_relative_to(root):
        return f"an include stays in the spec's own folder, {path} is outside"
    if path in chain:
        return "these files include each other: " + " -> ".join(p.name for p in (*chain, path))
    if len(chain) >= DEEPEST_INCLUDES:
        return f"includes inside includes, more than {DEEPEST_INCLUDES} deep"
    return None


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path().resolve()))
    except ValueError:
        return str(path)


