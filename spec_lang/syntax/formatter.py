"""The canonical form of a spec. Comments, paragraphs and the meaning of the spec are preserved."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.source import Source, Token
from nnspec.spec_lang.syntax.grammar import parse_statement, tokens
from nnspec.spec_lang.syntax.lines import Line, split_statements
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import (
    Block,
    Call,
    Expect,
    Group,
    Include,
    Let,
    Option,
    Pipeline,
    Repeat,
    Stage,
    Statement,
    Sweep,
)

LINE_WIDTH = 100
VARIANT_INDENT = "  "
GROUP_INDENT = "    "  # leaves room for the signs between branches


def format_source(source: Source | str, words: KnownWords) -> str:
    """Return a spec in canonical form; formatting it again changes nothing.

    Settings of a paragraph are aligned, long pipelines are broken before each arrow, and paragraphs are separated by
    one empty line. Raises SpecError for a text with syntax errors.
    """
    source = Source("<text>", source) if isinstance(source, str) else source
    _, found = parse_source(source, words)
    if found:
        raise SpecError(found)
    lines = _statements(list(tokens(source, comments=True)), LINE_WIDTH, words)
    return "".join(f"{line}\n" for line in lines)


def _statements(every: list[Token], width: int, words: KnownWords) -> list[str]:
    """Return the formatted lines of the statements in these tokens."""
    rows: list[str] = []
    for paragraph in _paragraphs(split_statements(every, words.statements)):
        read = [_Row.of(line, words) for line in paragraph]
        column = max((len(row.word) for row in read), default=0)
        rows += ["", *(text for row in read for text in row.drawn(column, width))]
    return rows[1:]


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the statements without an empty line between them."""
    paragraph: list[Line] = []
    for line in lines:
        first = line.tokens[0]
        if paragraph and first.source.text.count("\n", paragraph[-1].tokens[-1].end, first.start) > 1:
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


@dataclass
class _Row:
    """A statement, or a comment between statements; `word` is the setting it begins with, if it is aligned."""

    line: Line
    words: KnownWords
    read: Statement | None
    comments: list[Token]
    word: str = ""

    @classmethod
    def of(cls, line: Line, words: KnownWords) -> "_Row":
        comments = [token for token in line.tokens if token.type == "COMMENT"]
        rest = [token for token in line.tokens if token.type != "COMMENT"]
        if not rest or rest[0].type == "VARIANT":
            return cls(line, words, None, comments)
        read = parse_statement(rest)
        match read:
            case Pipeline(stages=(Call(label=None, word=word),)) if (
                word in words.statements and word not in words.file_heads
            ):
                return cls(line, words, read, comments, word)
        return cls(line, words, read, comments)

    def drawn(self, column: int, width: int) -> list[str]:
        """Return the formatted lines, with the words of settings padded to `column`."""
        first = self.line.tokens[0]
        match self.read:
            case None if first.type == "COMMENT":
                return [comment.text.rstrip() for comment in self.comments]
            case None:
                return self._variant(width)
            case Pipeline(stages=(Call() as call,)) if self.word:
                text = f"{self.word:<{column}} {_arguments(call, self.words)}".rstrip()
            case Let() | Sweep() as named:
                text = f"{first.text} {_named(named)}"
            case Expect() as expect:
                text = f"{first.text} {', '.join(condition.written() for condition in expect.conditions)}"
            case Include() as include:
                text = f"{first.text} {include.path.span.text}"
            case Block() as block:
                return self._pipeline(block.body, f"block {block.heading()} = ", width)
            case Pipeline() as pipeline:
                return self._pipeline(pipeline, "", width)
        return [_commented(text, self.comments)]

    def _pipeline(self, pipeline: Pipeline, head: str, width: int) -> list[str]:
        pipe = _Reader(self.comments, self.words).pipeline(pipeline)
        before, pipe.stages[0].leading = pipe.stages[0].leading, []
        first, *rest = pipe.drawn(width, len(head))
        return [*before, head + first, *rest]

    def _variant(self, width: int) -> list[str]:
        opened = next(position for position, token in enumerate(self.line.tokens) if token.type == "LBRACE")
        heading, inside = self.line.tokens[: opened + 1], self.line.tokens[opened + 1 :]
        closing = max(position for position, token in enumerate(inside) if token.type == "RBRACE")
        body = _statements(inside[:closing], width - len(VARIANT_INDENT), self.words)
        head = " ".join(token.text for token in heading if token.type not in ("_NL", "COMMENT"))
        return [head, *(f"{VARIANT_INDENT}{row}".rstrip() for row in body), _commented("}", inside[closing + 1 :])]


def _named(named: Let | Sweep) -> str:
    if isinstance(named, Sweep):
        return f"{named.key} = {named.written()}"
    return f"{named.name} = {', '.join(value.text() for value in named.values)}"


def _arguments(call: Call, words: KnownWords) -> str:
    """Return a call's arguments, with commas only between the names of a list."""
    texts = [
        f"{argument.name}={','.join(value.text() for value in argument.values)}"
        if isinstance(argument, Option)
        else argument.text()
        for argument in call.arguments
    ]
    names = [not isinstance(argument, Option) and argument.kind == "name" for argument in call.arguments]
    listed = [call.word in words.lists and a and b for a, b in pairwise(names)]
    return " ".join(text + "," * comma for text, comma in zip(texts, [*listed, False], strict=False))


def _commented(text: str, comments: Iterable[Token]) -> str:
    return "  ".join([text, *(comment.text.rstrip() for comment in comments)])


@dataclass
class _Drawn:
    """A stage with its comments: on lines before it, after it, and before its closing bracket."""

    head: str
    branches: list["_Pipe"] = field(default_factory=list)
    join: str = ""
    leading: list[str] = field(default_factory=list)
    trailing: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)

    def flat(self) -> str:
        """Return the text on one line, without comments."""
        if not self.branches:
            return self.head
        return f"{self.head}({f' {self.join} '.join(pipe.flat() for pipe in self.branches)})"

    def talks(self) -> bool:
        """Return whether a comment is inside."""
        return bool(self.closing) or any(pipe.talks(last=True) for pipe in self.branches)

    def drawn(self, width: int) -> list[str]:
        """Return the formatted lines."""
        flat = self.flat()
        if not self.branches or (len(flat) <= width and not self.talks()):
            return ["  ".join([flat, *self.trailing])]
        rows = [f"{self.head}("]
        for number, pipe in enumerate(self.branches):
            leading, pipe.stages[0].leading = pipe.stages[0].leading, []
            first, *rest = pipe.drawn(width - len(GROUP_INDENT))
            sign = f"  {self.join} " if number else GROUP_INDENT
            rows += [
                *(GROUP_INDENT + comment for comment in leading),
                sign + first,
                *(GROUP_INDENT + row for row in rest),
            ]
        rows += [GROUP_INDENT + comment for comment in self.closing]
        return [*rows, "  ".join([")", *self.trailing])]


@dataclass
class _Pipe:
    """Stages in sequence."""

    stages: list[_Drawn]

    def flat(self) -> str:
        """Return the text on one line, without comments."""
        return " -> ".join(stage.flat() for stage in self.stages)

    def talks(self, last: bool) -> bool:
        """Return whether a comment is inside, or with `last` after the last stage."""
        *most, end = self.stages
        within = any(stage.leading or stage.trailing or stage.talks() for stage in most)
        return within or bool(end.leading) or end.talks() or (last and bool(end.trailing))

    def drawn(self, width: int, used: int = 0) -> list[str]:
        """Return one line if it fits after `used` characters, else a line for each stage."""
        flat = self.flat()
        if used + len(flat) <= width and not self.talks(last=False):
            return ["  ".join([flat, *self.stages[-1].trailing])]
        rows: list[str] = []
        for number, stage in enumerate(self.stages):
            before, after = ("  -> ", "  ") if number else ("", "")
            first, *rest = stage.drawn(width - len(before))
            if rows and rows[-1].strip() == ")" and not rest and not stage.leading:  # continue after the bracket
                rows[-1] += f" -> {first}"
                continue
            rows += [*(after + comment for comment in stage.leading), before + first, *(after + row for row in rest)]
        return rows


class _Reader:
    """Attaches each comment of a statement to a stage of the pipeline."""

    def __init__(self, comments: list[Token], words: KnownWords):
        self.comments = comments
        self.words = words

    def pipeline(self, pipeline: Pipeline) -> _Pipe:
        """Return the stages with their comments."""
        return _Pipe([self._stage(stage) for stage in pipeline.stages])

    def _stage(self, stage: Stage) -> _Drawn:
        head = f"{stage.label}: " if stage.label is not None else ""
        leading = self._until(stage.span.start)
        if isinstance(stage, Call):
            drawn = _Drawn(f"{head}{stage.word} {_arguments(stage, self.words)}".rstrip())
            leading += self._until(stage.span.end)
        else:
            group = stage.body if isinstance(stage, Repeat) else stage
            head += f"repeat {stage.count.text()} " if isinstance(stage, Repeat) else ""
            leading += self._until(group.span.start)
            drawn = self._group(group, head)
        drawn.leading = leading
        between = r"[ \t]*(->|\+|\||\*)?[ \t]*"
        text = stage.span.source.text
        if self.comments and re.fullmatch(between, text[stage.span.end : self.comments[0].start]):
            drawn.trailing = self._until(self.comments[0].end)
        return drawn

    def _group(self, group: Group, head: str) -> _Drawn:
        drawn = _Drawn(head, [self.pipeline(branch) for branch in group.branches], group.join or "")
        drawn.closing = self._until(group.span.end)
        return drawn

    def _until(self, end: int) -> list[str]:
        """Remove and return the comments that begin before an offset."""
        count = sum(comment.start < end for comment in self.comments)
        taken, self.comments = self.comments[:count], self.comments[count:]
        return [comment.text.rstrip() for comment in taken]
