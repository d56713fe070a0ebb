"""A text in an editor, possibly with syntax errors, and the statement at an offset."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from nnspec.spec_lang.check.collect import Statements
from nnspec.spec_lang.check.examination import Examined, collected, examine_reading
from nnspec.spec_lang.check.expansion import Passage
from nnspec.spec_lang.check.include import Reading, with_includes
from nnspec.spec_lang.garbage import nothing_collected
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.automaton import UnexpectedToken
from nnspec.spec_lang.syntax.grammar import merge_signs, parse_statement, tokens
from nnspec.spec_lang.syntax.lines import split_statements, variant_heading
from nnspec.spec_lang.syntax.tree import Argument, Call, Pipeline
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words


@cache
def before_a_stage() -> frozenset[str]:
    """Return the types of tokens before a stage."""
    return frozenset({"ARROW", "LPAR", *merge_signs()})


class Document:
    """One version of a text. Its properties are computed once, when they are first read.

    `unsaved` are the texts of other files that differ from what is on disk, by their resolved paths. `variant` is the
    one whose network is shown, None for the spec without a variant; `sample` is the shape of a sample where the data
    are known, None where they are not. Several threads may ask at once: the first computes, the others wait for it.
    """

    def __init__(
        self,
        source: Source,
        unsaved: Mapping[Path, str] | None = None,
        variant: str | None = None,
        sample: Sequence[int] | None = None,
    ):
        self.source = source
        self.unsaved = unsaved or {}
        self.variant = variant
        self.sample = sample
        self._reading: Reading | None = None
        self._examined: Examined | None = None
        self._read, self._checked = Lock(), Lock()

    @property
    def reading(self) -> Reading:
        """The syntax trees of the text and of what it includes."""
        with self._read, nothing_collected():
            if self._reading is None:
                self._reading = with_includes(self.source, self.unsaved)
        return self._reading

    @property
    def examined(self) -> Examined:
        """The results of checking it."""
        with self._checked:
            if self._examined is None:
                self._examined = examine_reading(self.reading, variant=self.variant, input_shape=self.sample)
        return self._examined

    @cached_property
    def known(self) -> Statements:
        """The statements without syntax errors; known before the check."""
        return collected(self.reading)

    @cached_property
    def statements(self) -> list[list[Token]]:
        """The tokens of each statement, without comments and newlines; those in a variant follow its heading."""
        return list(statements_of(list(tokens(self.source))))

    @cached_property
    def sources(self) -> list[Source]:
        """The text itself and all texts that it includes."""
        return [source for source, _ in self.reading.parsed]

    @cached_property
    def _passages(self) -> dict[tuple[int, int], list[Passage]]:
        found: dict[tuple[int, int], list[Passage]] = {}
        for passage in self.examined.passages:
            if passage.span.source is self.source:
                found.setdefault((passage.span.start, passage.span.end), []).append(passage)
        return found

    def passages(self, span: Span) -> list[Passage]:
        """Return the expansions of the stage at a span; a stage in a repeat or a block has several."""
        return self._passages.get((span.start, span.end), [])

    def expansions(self) -> Iterator[tuple[Span, list[Passage]]]:
        """Yield the span of each stage of this text with its expansions."""
        for (start, end), passages in self._passages.items():
            yield Span(self.source, start, end), passages

    def around(self, offset: int) -> Span | None:
        """Return the span of the innermost stage around an offset."""
        spans = [(end - start, start, end) for start, end in self._passages if start <= offset < end]
        return Span(self.source, *min(spans)[1:]) if spans else None

    def at(self, offset: int) -> "TokenAt | None":
        """Return the token at an offset, or the one that ends there; None if there is none."""
        for line in self.statements:
            for index, token in enumerate(line):
                behind = token.end == offset and (index + 1 == len(line) or line[index + 1].start > offset)
                if token.start <= offset < token.end or behind:
                    return TokenAt(line, index)
        return None


class TokenAt(NamedTuple):
    """A token and its statement."""

    line: Sequence[Token]
    number: int

    @property
    def token(self) -> Token:
        """The token itself."""
        return self.line[self.number]

    def stage(self) -> "Stage | None":
        """Return the stage that contains the token, or None if that has a syntax error."""
        first = stage_around(self.line, self.number)
        after = (i for i in range(self.number + 1, len(self.line)) if _ends_a_stage(self.line[i]))
        return stage(self.line[first : next(after, len(self.line))], first == 0)


class Stage(NamedTuple):
    """A call and the class of its word, None if the word is not known.

    `arguments` are those of the word. In `optimizer adam lr=0.1` they follow `adam`, which is `named`.
    """

    call: Call
    cls: type[Word] | None
    named: Argument | None
    arguments: Sequence[Argument]


def statements_of(every: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each statement; those in a variant follow its heading."""
    for line in split_statements(every, known_words().statements):
        heading = variant_heading(line.tokens) or 3
        if line.tokens[0].type == "VARIANT" and len(line.tokens) > 3:
            yield line.tokens[:heading]
            yield from statements_of(line.tokens[heading:])
        elif found := [token for token in line.tokens if token.type != "_NL"]:
            yield found


def stage_around(line: Sequence[Token], index: int) -> int:
    """Return the index in a statement of the start of a token's stage, including its label."""
    while index > 0 and not opens_a_stage(line, index - 1):
        index -= 1
    return index


def opens_a_stage(line: Sequence[Token], index: int) -> bool:
    """Return whether a stage follows a token: an arrow, a sign between branches, the = before a block's body."""
    kind = line[index].type
    heading = kind == "EQUAL" and line[0].type == "BLOCK" and line[index - 1].type == "RPAR"
    return heading or kind in before_a_stage()


def is_word(line: Sequence[Token], index: int) -> bool:
    """Return whether a token is the word of its stage."""
    begin = stage_around(line, index)
    return index == begin + (line[begin].type == "LABEL")


def _ends_a_stage(token: Token) -> bool:
    return token.type == "RPAR" or token.type in before_a_stage()


def stage(written: Sequence[Token], first: bool) -> Stage | None:
    """Return the stage in these tokens, or None; with `first` they begin a line, so that they can be a setting."""
    try:
        read = parse_statement(written) if written else None
    except UnexpectedToken:
        return None
    match read:
        case Pipeline(stages=(Call() as call,)):
            return _meant(call, first)
    return None


def _meant(call: Call, first: bool) -> Stage:
    named = statements().get(call.word, {}) if first and call.label is None else {}
    arguments = call.arguments
    if named and call.word in SECTIONS:
        name = arguments[0] if arguments else None
        return Stage(call, named.get(str(getattr(name, "value", None))), name, arguments[1:])
    return Stage(call, named.get(call.word) or layers().get(call.word), None, arguments)


def word_before(text: str, offset: int) -> int:
    """Return the offset of the start of the word before an offset, including the $ of a variable."""
    match = re.compile(r"(x?\$)?[\w.]*\Z").search(text[max(0, offset - 200) : offset])
    return offset - len(match.group()) if match else offset
