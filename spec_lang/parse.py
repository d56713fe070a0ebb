"""Text → syntax tree. A statement that cannot be read is reported, and reading goes on with the next one."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from spec_lang.diagnostics import Diagnostic, one_of
from spec_lang.source import LONGEST_TEXT, Source, Span
from spec_lang.syntax import (
    Block,
    Call,
    Group,
    Include,
    Let,
    Option,
    Pipeline,
    Repeat,
    Stage,
    Statement,
    Sweep,
    Value,
    Variant,
    labelled,
)

DEEPEST = 64  # levels of parentheses and braces
_MOST_STRAYS = 20  # characters outside the language that are told one by one

_ARROW = "__ANON_0"  # Lark's name for "->"
_IN_WORDS = {
    "NAME": "a word",
    "LABEL": "a name and a colon",
    "KEY": "a setting such as optimizer.lr",
    "SIZE": "a size such as 3x3",
    "COUNT": "a count such as x8",
    "RATIO": "a ratio such as 75/25",
    "INT": "a whole number",
    "NUMBER": "a number",
    "STRING": 'a text in "quotes"',
    "VARIABLE": "a variable such as $width",
    "LPAR": "(",
    "RPAR": ")",
    "LBRACE": "{",
    "RBRACE": "}",
    "EQUAL": "=",
    "COMMA": ",",
    "PLUS": "+",
    "VBAR": "|",
    "REPEAT": "repeat",
    _ARROW: "->",
    "$END": "the end of the line",
}
_VALUES = {"SIZE", "COUNT", "RATIO", "INT", "NUMBER", "STRING", "VARIABLE", "NAME"}


@cache
def _lark() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", start=["start", "statement"], propagate_positions=True)


def parse(source: Source) -> tuple[list[Statement], list[Diagnostic]]:
    """The statements that could be read, and a diagnostic for each one that could not."""
    if source.size > LONGEST_TEXT:
        message = f"the spec is longer than the {LONGEST_TEXT:,} bytes that a spec may have"
        return [], [Diagnostic("E003", message, Span(source, 0, 1))]
    if source.not_utf8 is not None:
        place = Span(source, source.not_utf8, source.not_utf8 + 1)
        help = "save it as UTF-8 text; if it is no text at all, it is no spec"
        return [], [Diagnostic("E001", "the file is not UTF-8 text", place, help=help)]
    reader = _Reader(source)
    statements = [s for group in reader.split(reader.tokens()) for s in reader.read(group)]
    return statements, sorted(reader.found, key=lambda d: d.span.start)


def parse_value(text: str, name: str) -> Value | Diagnostic:
    """A value as it would stand after `=`, from a text outside any spec."""
    source = Source(name, text)
    reader = _Reader(source)
    tokens = reader.tokens()
    if not reader.found and len(tokens) == 1 and tokens[0].type in _VALUES:
        return _value(source, tokens[0])
    # A value that is no token of the language (a date, a path) is a text, as a shell's user means it.
    return Value("text", text, Span(source, 0, len(text)))


class _Reader:
    """One reading of one source; `found` collects what was wrong."""

    def __init__(self, source: Source):
        self.source = source
        self.found: list[Diagnostic] = []

    def tokens(self) -> list[Token]:
        """All tokens; characters outside the language are reported and left out."""
        text = self.source.text
        while True:
            try:
                return list(_lark().lex(text))
            except UnexpectedCharacters as error:
                start = error.pos_in_stream
                end = start + 1
                while end < len(text) and not text[end].isspace() and text[end] not in "(){}|+,=\"#":
                    end += 1
                self._stray(text, start, end)
                if len(self.found) >= _MOST_STRAYS:
                    text = text[:start]
                text = text[:start] + " " * (end - start) + text[end:]

    def _stray(self, text: str, start: int, end: int) -> None:
        span = Span(self.source, start, end)
        if text[start] == '"':
            self._say("a text is opened here and not closed on its line", span, 'write a closing "')
        elif text[start] in "'`“”‘’":
            self._say("texts stand in straight double quotes", span, 'write "…"')
        else:
            self._say(f"{text[start:end]!r} is neither a word nor a value of the language", span, _hint(text[start:end]))

    def split(self, tokens: list[Token]) -> list[list[Token]]:
        """Tokens by statement: a line, continued after and before "->" and inside parentheses."""
        groups: list[list[Token]] = [[]]
        parentheses: list[Token] = []
        braces: list[Token] = []
        following = "_NL"  # the type of the next token that is no newline
        after: list[str] = []
        for token in reversed(tokens):
            after.append(following)
            following = token.type if token.type != "_NL" else following
        for token, next_type in zip(tokens, reversed(after), strict=True):
            if token.type == "_NL":
                before = groups[-1][-1].type if groups[-1] else "_NL"
                if parentheses or _ARROW in (before, next_type):
                    continue
                if braces:
                    groups[-1].append(token)
                elif groups[-1]:
                    groups.append([])
                continue
            groups[-1].append(token)
            opened = {"RPAR": parentheses, "RBRACE": braces}.get(token.type)
            if token.type in ("LPAR", "LBRACE"):
                (parentheses if token.type == "LPAR" else braces).append(token)
            elif opened:
                opened.pop()
            if len(parentheses) + len(braces) > DEEPEST:
                self._say(f"nested more than {DEEPEST} levels deep", self._span(token), code="E003")
                return []
        if parentheses or braces:
            token = (parentheses or braces)[-1]
            self._say(f'this "{token}" is never closed', self._span(token))
            line = int(token.line or 1)
            rest = [t for t in tokens if (t.line or 0) > line]
            return self.split([t for t in tokens if (t.line or 0) < line]) + self.split(_balanced(rest))
        return [group for group in groups if group]

    def read(self, tokens: list[Token]) -> Iterator[Statement]:
        """The statement of one group of tokens; of a variant that cannot be read, the statements that can."""
        parser = _lark().parse_interactive(start="statement")
        try:
            for token in tokens:
                parser.feed_token(token)
            tree = parser.feed_eof(tokens[-1])
        except UnexpectedToken as error:
            opening = [token.type for token in tokens[:3]]
            if opening == ["VARIANT", "NAME", "LBRACE"] and tokens[-1].type == "RBRACE":
                inside = tuple(s for group in self.split(tokens[3:-1]) for s in self.read(group))
                yield Variant(str(tokens[1]), inside, self._span(tokens[0]).to(self._span(tokens[-1])))
            else:
                self._unexpected(error, tokens)
            return
        yield _ToSyntax(self.source).transform(tree)

    def _unexpected(self, error: UnexpectedToken, tokens: list[Token]) -> None:
        token = error.token
        at_end = token.type == "$END"
        span = self._span(tokens[-1] if at_end else token)
        if at_end:
            span = Span(self.source, span.end, span.end + 1)
        before = [t.type for t in tokens[: len(tokens) if at_end else tokens.index(token)]]
        expected = {name for name in error.expected if name in _IN_WORDS}
        expected -= {"RBRACE"} | (set() if before.count("LPAR") > before.count("RPAR") else {"RPAR", "PLUS", "VBAR"})
        wanted = [_IN_WORDS[name] for name in _IN_WORDS if name in expected - _VALUES]
        if expected >= _VALUES:
            wanted.insert(0, "a value" if before[-1:] == ["EQUAL"] else "an argument")
        else:
            wanted[:0] = [_IN_WORDS[name] for name in _IN_WORDS if name in expected & _VALUES]
        found = "the line ends too early" if at_end else f'"{token}" does not fit here'
        notes = (f"expected {one_of(wanted)}",) if wanted else ()
        self.found.append(Diagnostic("E002", found, span, notes, self._advice(token, tokens)))

    def _advice(self, token: Token, tokens: list[Token]) -> str | None:
        before = tokens[tokens.index(token) - 1] if token in tokens[1:] else None
        if token.type == "LPAR" and before is not None and before.type == "NAME":
            return f"arguments stand after the word, without parentheses: {before.lower()} 3x3 x8, {before.lower()} 10 relu"
        if token.type in ("INT", "SIZE", "NUMBER") and before is None:
            return "a line begins with a word: a layer such as dense 10, or a setting such as train 5 epochs"
        return None

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def _say(self, message: str, span: Span, help: str | None = None, code: str = "E002") -> None:
        self.found.append(Diagnostic(code, message, span, help=help))


def _balanced(tokens: Iterable[Token]) -> list[Token]:
    """Tokens without brackets that belong to one dropped before them."""
    return [token for token in tokens if token.type not in ("RBRACE", "LBRACE", "LPAR", "RPAR")]


def _hint(text: str) -> str | None:
    hints = {";": "a line ends a statement; no ; is needed", ":": "options are written name=value", ">": "an arrow is ->", "-": "an arrow is ->"}
    return hints.get(text[0])


def _value(source: Source, token: Token) -> Value:
    span = Span(source, token.start_pos or 0, token.end_pos or 0)
    text = str(token)
    match token.type:
        case "SIZE":
            return Value("size", tuple(int(part) for part in text.split("x")), span)
        case "COUNT" if text.startswith("x$"):
            return Value("variable", text[2:], span)
        case "COUNT":
            return Value("count", int(text[1:]), span)
        case "RATIO":
            return Value("ratio", tuple(float(part) for part in text.split("/")), span)
        case "INT":
            return Value("int", int(text), span)
        case "NUMBER":
            return Value("number", float(text), span)
        case "STRING":
            return Value("text", text[1:-1], span)
        case "VARIABLE":
            return Value("variable", text[1:], span)
        case _:
            return Value("name", text, span)


@v_args(inline=True)
class _ToSyntax(Transformer[Token, Statement]):
    """Lark's tree → the nodes of spec_lang.syntax, one method a rule."""

    def __init__(self, source: Source):
        super().__init__()
        self.source = source

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start_pos or 0, token.end_pos or 0)

    def value(self, token: Token) -> Value:
        return _value(self.source, token)

    def option(self, name: Token, *values: Value) -> Option:
        start = self._span(name)
        return Option(str(name), start, values, start.to(values[-1].span))

    def call(self, word: Token, *arguments: Value | Option) -> Call:
        start = self._span(word)
        return Call(str(word), start, arguments, start.to(arguments[-1].span) if arguments else start)

    @v_args(meta=True, inline=False)
    def group(self, meta: object, children: list[Pipeline]) -> Group:
        start, end = getattr(meta, "start_pos", 0), getattr(meta, "end_pos", 0)
        join: str | None = None
        if len(children) > 1:
            between = self.source.text[children[0].span.end : children[1].span.start]
            join = "+" if "+" in between.split("#")[0] else "|"
        return Group(tuple(children), join, Span(self.source, start, end))  # type: ignore[arg-type]

    def repeat(self, count: Token, body: Group) -> Repeat:
        number = _value(self.source, count)
        return Repeat(number, body, number.span.to(body.span))

    def stage(self, label: Token | None, stage: Stage) -> Stage:
        return labelled(stage, str(label)[:-1].rstrip() if label is not None else None)

    def pipeline(self, *stages: Stage) -> Pipeline:
        return Pipeline(stages, stages[0].span.to(stages[-1].span))

    def let(self, name: Token, value: Value) -> Let:
        return Let(str(name), value, self._span(name).to(value.span))

    def block(self, name: Token, *rest: Token | Pipeline | None) -> Block:
        *parameters, body = (part for part in rest if part is not None)
        assert isinstance(body, Pipeline)
        return Block(str(name), tuple(map(str, parameters)), body, self._span(name).to(body.span))

    def include(self, path: Token) -> Include:
        return Include(_value(self.source, path), self._span(path))

    @v_args(meta=True, inline=False)
    def variant(self, meta: object, children: list[Token | Statement]) -> Variant:
        name, *statements = children
        span = Span(self.source, getattr(meta, "start_pos", 0), getattr(meta, "end_pos", 0))
        return Variant(str(name), tuple(s for s in statements if not isinstance(s, Token)), span)

    def sweep(self, key: Token, *values: Value) -> Sweep:
        return Sweep(str(key), values, self._span(key).to(values[-1].span))

    def statement(self, statement: Statement) -> Statement:
        return statement
