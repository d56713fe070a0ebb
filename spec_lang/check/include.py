"""Included files: read them in order, each once, with the limits of a spec."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from nnspec.spec_lang.limits import MAX_INCLUDE_DEPTH, MAX_TEXT_BYTES
from nnspec.spec_lang.report.diagnostics import Findings, TooManyFindings
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.syntax.parse import parse_into
from nnspec.spec_lang.syntax.tree import Broken, Include, Statement
from nnspec.spec_lang.vocabulary.summary import known_words


def with_includes(source: Source, unsaved: Mapping[Path, str] | None = None) -> "Reading":
    """Parse a spec and the files that it includes; included texts come before the text that includes them.

    A file in `unsaved` is read from there: the texts that an editor has open, by their resolved paths.
    """
    reading = Reading(source, unsaved or {})
    own = Path(source.name).resolve() if source.folder is not None else None
    with suppress(TooManyFindings):
        reading.read(source, (own,) if own is not None else ())
        reading.whole = True
    return reading


class Reading:
    """A spec and the files that it includes from its folder and below, each read once.

    `texts` are the statements of each without its includes, `included` the texts of the files by their paths relative
    to the spec's folder, `done` the paths that includes name, `parsed` each source with all its statements, the spec
    first. `found` are the findings; `whole` is False where there are so many that the rest was not read.
    """

    def __init__(self, source: Source, unsaved: Mapping[Path, str]):
        self.source = source
        self.root = (source.folder or Path()).resolve()
        self.unsaved = unsaved
        self.found = Findings()
        self.whole = False
        self.texts: list[Sequence[Statement]] = []
        self.parsed: list[tuple[Source, Sequence[Statement]]] = []
        self.included: dict[str, str] = {}
        self.done: set[Path] = set()
        self.bytes = 0

    def read(self, source: Source, chain: tuple[Path, ...]) -> None:
        """Parse the includes of this text, then the text itself."""
        self.bytes += source.size
        statements = parse_into(self.found, source, known_words())
        self.parsed.append((source, statements))
        kept: list[Statement] = []
        for statement in statements:
            if not isinstance(statement, Include):
                kept.append(statement)
                continue
            included = self._included(statement, source, chain)
            if isinstance(included, Source):
                self.read(included, (*chain, included_path(included)))
            elif not included:
                kept.append(Broken("include", str(statement.path.value), statement.span))
        self.texts.append(kept)

    def _included(self, include: Include, source: Source, chain: tuple[Path, ...]) -> Source | bool:
        """Return the included text, True if it has been read already, False after reporting why it cannot be read."""
        asked = str(include.path.value)
        try:
            path = ((source.folder or Path()) / asked).resolve()
            problem = self._refusal(path, chain)
            if problem is None and path in self.done:
                return True
            if problem is None:
                self.done.add(path)
                shown = _shown(path)
                content = self.unsaved[path] if path in self.unsaved else open_source(Path(shown)).content
                included = Source(shown, content, path.parent, include.span)
                self.included[path.relative_to(self.root).as_posix()] = included.text
                return included
        except (SourceError, OSError, ValueError) as error:
            problem = str(error)
        self.found.say("E001", f'"{asked}" cannot be included', include.path.span, problem)
        return False

    def _refusal(self, path: Path, chain: tuple[Path, ...]) -> str | None:
        if not path.is_relative_to(self.root):
            return "an include stays in the spec's own folder and the folders below it"
        if path in chain:
            circle = (*chain[chain.index(path) :], path)
            return f"these files include each other: {' -> '.join(p.name for p in circle)}"
        if len(chain) > MAX_INCLUDE_DEPTH:
            return f"the includes are more than {MAX_INCLUDE_DEPTH} deep"
        if self.bytes > MAX_TEXT_BYTES:
            return f"the spec and what it includes are longer than {MAX_TEXT_BYTES:,} bytes together"
        return None


def included_path(source: Source) -> Path:
    """Return the path of an included text."""
    return (source.folder or Path()) / Path(source.name).name


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path().resolve()))
    except ValueError:
        return str(path)
