"""A text that is being written, and what stands at a place in it. It may be broken anywhere."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from lark.exceptions import UnexpectedToken

from nnspec.spec_lang.check.elaborate import Passage
from nnspec.spec_lang.check.examination import Examined, examine_source
from nnspec.spec_lang.check.include import with_includes
from nnspec.spec_lang.report.diagnostics import Findings
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.grammar import parse_statement, tokens
from nnspec.spec_lang.syntax.lines import split_statements
from nnspec.spec_lang.syntax.tree import Argument, Call, Pipeline
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words

BEFORE_A_STAGE = ("ARROW", "LPAR", "PLUS", "VBAR")
"""Tokens behind which a stage begins."""


class Document:
    """One state of a text. What is asked of it is found out once, when it is asked for."""

    def __init__(self, source: Source):
        self.source = source

    @cached_property
    def examined(self) -> Examined:
        """What the checker says of it."""
        return examine_source(self.source)

    @cached_property
    def statements(self) -> list[list[Token]]:
        """The tokens of each statement, comments and newlines left out; those inside a variant follow its heading."""
        return list(statements_of(list(tokens(self.source))))

    @cached_property
    def sources(self) -> list[Source]:
        """The text itself and every text that it includes."""
        texts = with_includes(self.source, Findings()).texts
        return list(dict.fromkeys([self.source, *(said.span.source for text in texts for said in text)]))

    @cached_property
    def _passages(self) -> dict[tuple[int, int], list[Passage]]:
        found: dict[tuple[int, int], list[Passage]] = {}
        for passage in self.examined.passages:
            if passage.span.source is self.source:
                found.setdefault((passage.span.start, passage.span.end), []).append(passage)
        return found

    def passages(self, span: Span) -> list[Passage]:
        """Every walk of a shape over the stage that stands there: several in a repeat or a block."""
        return self._passages.get((span.start, span.end), [])

    def around(self, offset: int) -> Span | None:
        """The innermost stage around a place."""
        spans = [(end - start, start, end) for start, end in self._passages if start <= offset < end]
        return Span(self.source, *min(spans)[1:]) if spans else None

    def at(self, offset: int) -> "TokenAt | None":
        """What stands at an offset; a word is meant from its first letter to right behind its last one."""
        for line in self.statements:
            for index, token in enumerate(line):
                behind = token.end == offset and (index + 1 == len(line) or line[index + 1].start > offset)
                if token.start <= offset < token.end or behind:
                    return TokenAt(line, index)
        return None


class TokenAt(NamedTuple):
    """A token in its statement."""

    line: Sequence[Token]
    number: int

    @property
    def token(self) -> Token:
        """The token."""
        return self.line[self.number]

    def stage(self) -> "Stage | None":
        """The word and the arguments among which the token stands; None where they cannot be read."""
        first = stage_around(self.line, self.number)
        after = (i for i in range(self.number + 1, len(self.line)) if _ends_a_stage(self.line[i]))
        return stage(self.line[first : next(after, len(self.line))], first == 0)


class Stage(NamedTuple):
    """A call as it is written, and the word that it says, where there is such a word.

    `arguments` are those of the word: in `optimizer adam lr=0.1` what stands behind `adam`, which `named` then is.
    """

    call: Call
    cls: type[Word] | None
    named: Argument | None
    arguments: Sequence[Argument]


def statements_of(every: Sequence[Token]) -> Iterator[list[Token]]:
    """Tokens by statement; those inside a variant follow its heading."""
    for line in split_statements(every, known_words().statements):
        if line.tokens[0].type == "VARIANT" and len(line.tokens) > 3:
            yield line.tokens[:3]
            yield from statements_of(line.tokens[3:])
        elif found := [token for token in line.tokens if token.type != "_NL"]:
            yield found


def stage_around(line: Sequence[Token], index: int) -> int:
    """Where in a statement the stage begins that a token belongs to; with its label, where it has one."""
    while index > 0 and not opens_a_stage(line, index - 1):
        index -= 1
    return index


def opens_a_stage(line: Sequence[Token], index: int) -> bool:
    """Whether a stage begins behind a token: an arrow, a sign between branches, what a block is given as its body."""
    kind = line[index].type
    heading = kind == "EQUAL" and line[0].type == "BLOCK" and line[index - 1].type == "RPAR"
    return heading or kind in BEFORE_A_STAGE


def is_word(line: Sequence[Token], index: int) -> bool:
    """Whether a token is the word of its stage."""
    begin = stage_around(line, index)
    return index == begin + (line[begin].type == "LABEL")


def _ends_a_stage(token: Token) -> bool:
    return token.type == "RPAR" or token.type in BEFORE_A_STAGE


def stage(written: Sequence[Token], first: bool) -> Stage | None:
    """The stage that these tokens are; `first` where they begin a line, so that they may be a setting."""
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
    """Where the word begins that is being written at an offset; a variable's with its sign."""
    match = re.compile(r"(x?\$)?[\w.]*\Z").search(text[max(0, offset - 200) : offset])
    return offset - len(match.group()) if match else offset
