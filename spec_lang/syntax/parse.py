"""Text → syntax tree. A statement with a syntax error is reported, and parsing continues with the next one."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from nnspec.spec_lang.limits import MAX_NESTING, MAX_TEXT_BYTES
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, Fix, TooManyFindings, one_of
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.report.syntax_help import advice, dotted_advice, statement_meant
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.automaton import END, UnexpectedToken
from nnspec.spec_lang.syntax.grammar import OUTSIDE, VALUES, is_name, merge_signs, parse_statement, parse_token, tokens
from nnspec.spec_lang.syntax.lines import Line, split_statements, variant_heading
from nnspec.spec_lang.syntax.misfits import mends, page, read, without_fix
from nnspec.spec_lang.syntax.tree import Broken, Let, Statement, Value, Variant

if TYPE_CHECKING:
    from nnspec.spec_lang.syntax.misfits.reading import Reading


@cache
def _descriptions() -> dict[str, str]:
    """Return the names of the grammar's terminals in messages."""
    return {
        "NAME": "a word",
        "PATTERN": "names of layers",
        "OPTION": "an option such as stride=2",
        "LABEL": "a name and a colon",
        "SIZE": "a size such as 3x3",
        "COUNT": "a count such as x8",
        "RATIO": "a ratio such as 75/25",
        "INT": "a whole number",
        "NUMBER": "a number",
        "STRING": 'a text in "quotes"',
        "VARIABLE": "a variable such as $width",
        "FORMULA": "a formula such as $(2 * width)",
        "SUM": "a sum such as half = $width / 2",
        "LPAR": "(",
        "RPAR": ")",
        "LBRACE": "{",
        "RBRACE": "}",
        "EQUAL": "=",
        "COMMA": "a comma",
        "RANGE": "a range such as optimizer.lr = log 1e-4..1e-1",
        "CONDITION": "a condition such as accuracy >= 95 %",
        **merge_signs(),
        "REPEAT": "repeat",
        "ARROW": "->",
        END: "the end of the line",
    }


def parse_source(source: Source, words: KnownWords) -> tuple[list[Statement], list[Diagnostic]]:
    """Return the statements of a text and its syntax errors, in order of place."""
    found = Findings()
    try:
        statements = parse_into(found, source, words)
    except TooManyFindings:
        statements = []
    return statements, sorted(found, key=lambda diagnostic: diagnostic.span.start)


def parse_into(found: Findings, source: Source, words: KnownWords) -> list[Statement]:
    """Return the statements of a text; one with a syntax error is reported in `found` and becomes a Broken."""
    whole = Span(source, 0, 1)
    if source.size > MAX_TEXT_BYTES:
        found.say("E003", f"the spec is longer than the {MAX_TEXT_BYTES:,} bytes that a spec may have", whole)
        return [Broken("network", None, whole)]
    odd = source.not_utf8 if source.not_utf8 is not None else source.text.find("\0")
    if odd >= 0:
        help = "save it as UTF-8 text; if it is no text at all, it is no spec"
        found.say("E001", "the file is not UTF-8 text", Span(source, odd, odd + 1), help)
        return [Broken("network", None, whole)]
    here = Findings()
    with suppress(TooManyFindings):
        statements = list(_Reader(here, words).read(tokens(source)))
    if not here:
        return statements
    whole_page = page(source, words)
    for diagnostic in (whole_page,) if whole_page is not None else here:
        found.add(diagnostic)
    return statements if whole_page is None else [Broken("network", None, whole)]


def parse_value(text: str, name: str) -> Value:
    """Return the value that a text means after `=`; a text that is not a token of the language is a text value."""
    source = Source(name, text)
    value = parse_token(source)
    # A date or a path without quotes, as on a command line.
    return value if value is not None else Value("text", text, Span(source, 0, len(text)))


MOST_READINGS = 100
"""Statements of one text that are read loosely; a text with more errors is of another kind."""


class _Reader:
    """One reading of one source."""

    def __init__(self, found: Findings, words: KnownWords):
        self.found = found
        self.words = words
        self.left_open = 0  # braces reported as unclosed, whose } may follow
        self.blocks: dict[str, Sequence[str]] = {}
        self.readings = MOST_READINGS

    def read(self, tokens: Iterable[Token]) -> Iterator[Statement]:
        """Return the statements in these tokens."""
        every = list(tokens)
        self.blocks |= {name.text: () for word, name in pairwise(every) if word.type == "BLOCK"}
        for line in split_statements(every, self.words.statements):
            if self.left_open and [token.type for token in line.tokens] == ["RBRACE"]:
                self.left_open -= 1
                continue
            yield self._variant(line) if line.tokens[0].type == "VARIANT" else self._statement(line)

    def _statement(self, line: Line) -> Statement:
        strays = [token for token in line.tokens if token.type in OUTSIDE]
        if line.deep is not None:
            message = f"nested more than {MAX_NESTING} levels deep"
            self.found.say("E003", message, line.deep.span, "give the inner part a name: block NAME() = …")
        elif line.unclosed is not None:
            reading = self._reading(line)
            fix = reading.fix if reading is not None else None
            closes = fix is not None and fix.text.count(")") > fix.span.text.count(")")
            self._unclosed(line.unclosed, fix if closes else None)
        elif strays:
            reading = self._reading(line)
            self._read(self._stray(strays[0]), reading, line)
            return self._broken(line, reading)
        else:
            try:
                return self._sound(parse_statement(line.tokens), line)
            except UnexpectedToken as error:
                reading = self._reading(line)
                self._read(self._unexpected(error, line.tokens), reading, line)
                return self._broken(line, reading)
        return self._broken(line)

    def _reading(self, line: Line) -> "Reading | None":
        """Return what is meant by a statement with a syntax error; None where nothing is known to be meant."""
        self.readings -= 1
        span = line.tokens[0].span.to(line.tokens[-1].span)
        return read(span, self.words, self.blocks) if self.readings >= 0 else None

    def _read(self, plain: Diagnostic, reading: "Reading | None", line: Line) -> None:
        """Report an error, at the place and with the fix of what was meant if that is known."""
        span = line.tokens[0].span.to(line.tokens[-1].span)
        if reading is not None:
            plain = reading.of(plain)
        elif plain.fix is not None and not mends(span, plain.fix, self.words, self.blocks):
            plain = without_fix(plain, self.words)
        self.found.add(plain)

    def _sound(self, read: Statement, line: Line) -> Statement:
        """Return the statement, or a Broken for a let with several values or an invalid name."""
        if isinstance(read, Let) and (len(read.values) > 1 or not is_name(read.name)):
            message = "a let has one value" if len(read.values) > 1 else "a let's name is one word"
            help = (
                "a grid of values is a sweep: write sweep KEY = a, b"
                if len(read.values) > 1
                else "write let width = 16"
            )
            self.found.say("E002", message, read.span, help)
            return self._broken(line)
        return read

    def _variant(self, line: Line) -> Statement:
        """Parse a variant statement by statement, so that a syntax error in one does not hide the others."""
        tokens = [token for token in line.tokens if token.type != "_NL"] if line.unclosed else line.tokens
        heading = variant_heading(line.tokens)
        if heading is None:
            return self._statement(Line(tokens, None, line.deep))
        closed = line.tokens[-1].type == "RBRACE" and line.unclosed is None
        if not closed and line.unclosed is not None:
            self._unclosed(line.unclosed)
        elif not closed:
            after = next(t for t in reversed(line.tokens) if t.type != "_NL")
            self.found.say("E002", f'"{after.text}" does not fit here', after.span, "end the line after the }")
        inside = tuple(self.read(line.tokens[heading:-1] if closed else line.tokens[heading:]))
        for nested in (s for s in inside if isinstance(s, Variant)):
            self.found.say(
                "E002", "a variant is inside another one", nested.span, "close the one around it with } first"
            )
        parent = (line.tokens[3].text, line.tokens[3].span) if heading > 3 else None
        return Variant(line.tokens[1].text, inside, line.tokens[0].span.to(line.tokens[-1].span), parent)

    def _broken(self, line: Line, reading: "Reading | None" = None) -> Broken:
        first, *rest = line.tokens
        names = {"LET", "BLOCK", "VARIANT", "SWEEP", "EXPECT", "INCLUDE"}
        meant = reading.word if reading is not None and reading.word in self.words.statements else None
        kind = first.type.lower() if first.type in names else meant or statement_meant(first, self.words) or "network"
        name = rest[0].text.partition("=")[0].strip() if first.type in names and rest else None
        return Broken(kind, name, first.span.to(line.tokens[-1].span))

    def _unclosed(self, bracket: Token, fix: Fix | None = None) -> None:
        self.left_open += bracket.text == "{"
        closing = {"(": ")", "{": "}"}[bracket.text]
        message = f'this "{bracket.text}" is never closed'
        self.found.say("E002", message, bracket.span, f'write the "{closing}" where the part ends', fix)

    def _stray(self, token: Token) -> Diagnostic:
        text = token.text if len(token.text) <= 40 else f"{token.text[:40]}…"
        help, fix = _hint(token), None
        if token.type == "DOTTED":
            message = f'"{text}" does not fit here'
            help, fix = dotted_advice(token, self.words)
        elif token.type == "UNCLOSED":
            message, help = "a text is opened here and not closed on its line", 'write a closing "'
        elif token.type == "QUOTED":
            message, inside = "a text needs straight double quotes", token.text.strip(token.text[0] + token.text[-1])
            help, fix = f'write "{text.strip(text[0] + text[-1])}"', Fix(token.span, f'"{inside}"')
        elif text.isprintable():
            message = f'"{text}" is neither a word nor a value of the language'
        else:
            name = unicodedata.name(text[0], "a control character").lower()
            message = f"the character U+{ord(text[0]):04X}, {name}, has no place in a spec"
        return Diagnostic("E002", message, token.span, help=help, fix=fix)

    def _unexpected(self, error: UnexpectedToken, tokens: Sequence[Token]) -> Diagnostic:
        token: Token = error.token
        at_end = token.type == END
        index = len(tokens) if at_end else tokens.index(token)
        before = [t.type for t in tokens[:index]]
        expected = {name for name in error.expected if name in _descriptions()} - {"RBRACE"}
        if before.count("LPAR") <= before.count("RPAR"):
            expected -= {"RPAR", *merge_signs()}
        wanted = ["a name, = and a value"] if before in (["LET"], ["SWEEP"]) else _in_words(expected, index == 0)
        message = "the line ends too early" if at_end else f'"{token.text}" does not fit here'
        notes = (f"expected {one_of(wanted)}",) if wanted not in ([], [_descriptions()[END]]) else ()
        return Diagnostic("E002", message, token.span, notes, advice(tokens, index, self.words))


def _in_words(expected: set[str], at_start: bool) -> list[str]:
    """Return descriptions of what these terminals can begin."""
    if expected >= {"NAME", "LPAR", "REPEAT"}:
        return ["a layer or a statement"] if at_start else ["a layer", "a group in parentheses", "repeat"]
    if expected >= set(VALUES):
        return ["an argument", *(words for name, words in _descriptions().items() if name in expected - set(VALUES))]
    return [words for name, words in _descriptions().items() if name in expected]


_HINTS = {
    ";": "a line's end ends a statement; no ; is needed",
    ":": "options are written name=value",
    ">": "an arrow is written ->",
    "-": "an arrow is written ->, a number such as -0.5 without a space",
    "→": "an arrow is written ->",
    "×": "a size is written with the letter x: 3x3",
    "*": "a size is written with the letter x: 3x3",
    "&": "write each statement on its own line",
    "$": "a variable is written $name",
    "%": "a share is written as a number: 0.5",
    "[": "several values are written a, b, c",
    "\u00a0": "write an ordinary space",
}


def _hint(token: Token) -> str | None:
    text, first = token.text, token.text[0]
    if first in "./\\":
        around = token.source.text
        start = max(around.rfind(blank, 0, token.start) for blank in " \t\n") + 1
        return f'write a path in quotes: "{around[start : token.end]}"'
    if text[0].isdigit():
        return "a count is written x8, a size 3x3, a number 0.5; names do not begin with a digit"
    return _HINTS.get(first)
