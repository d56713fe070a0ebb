"""Completion: the words of the language, the names in the spec and the files in its folder that fit at an offset."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from nnspec.spec_lang.check.bind import fields_filled
from nnspec.spec_lang.check.expectations import LOSS
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION
from nnspec.spec_lang.check.layer_names import Names
from nnspec.spec_lang.check.overrides import DEFAULTS, settable_keys
from nnspec.spec_lang.editor import snippets
from nnspec.spec_lang.editor.document import (
    Document,
    Stage,
    is_word,
    opens_a_stage,
    stage,
    stage_around,
    statements_of,
    word_before,
)
from nnspec.spec_lang.editor.hover import KEYWORDS, about, described
from nnspec.spec_lang.editor.reference import default, option_entry
from nnspec.spec_lang.editor.snippets import block_snippet, word_snippet
from nnspec.spec_lang.editor.symbols import parameters_at
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.formula import FUNCTIONS
from nnspec.spec_lang.syntax.grammar import lexicon, tokens
from nnspec.spec_lang.syntax.tree import Option, Value
from nnspec.spec_lang.vocabulary.bases import Tied
from nnspec.spec_lang.vocabulary.fields import TRUTH, WordField, fields_of
from nnspec.spec_lang.vocabulary.markers import EarlierLayer, marker
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, layers, statements, words
from nnspec.spec_lang.vocabulary.statements import EarlyStop

CompletionKind = Literal["layer", "activation", "block", "statement", "keyword", "option", "value", "variable", "file"]


class Completion(NamedTuple):
    """A text to insert, its kind, a short and a long description, and the text with places to fill in, if any."""

    text: str
    kind: CompletionKind
    detail: str = ""
    about: str = ""
    snippet: str = ""


class Completions(NamedTuple):
    """The completions that can replace a span, which is the word at the offset."""

    span: Span
    items: list[Completion]


def complete(document: Document, offset: int) -> Completions:
    """Return everything that fits at an offset. The editor filters it by the part of the word before the offset."""
    source = document.source
    begin = word_before(source.text, offset)
    end = _end(r"\w*", source.text, offset)
    before = list(tokens(Source(source.name, source.text[:begin]), comments=True))
    last = before[-1] if before else None
    if last is not None and last.type == "COMMENT" and last.end == begin:
        return Completions(Span(source, offset, offset), [])
    if last is not None and last.type == "UNCLOSED":
        line = _line(before)
        files = list(_files(document, last.text[1:])) if line[:1] and line[0].type == "INCLUDE" else []
        return Completions(Span(source, last.start + 1, _end(r'[^"\n]*', source.text, offset)), files)
    written = source.text[begin:offset]
    opened = _FORMULA_BEGUN.search(source.text, source.text.rfind("\n", 0, begin) + 1, begin)
    asked = _Asked(
        document, _line([t for t in before if t.type != "COMMENT"]), _rest(source, end), written, opened is not None
    )
    items: dict[str, Completion] = {}
    for item in asked.items():
        items.setdefault(item.text, item)  # the default comes before the other choices
    return Completions(Span(source, begin, end), list(items.values()))


_FORMULA_BEGUN = re.compile(r"\$\((?:[^()\n]|\([^()\n]*\))*\(?[^()\n]*\Z")
"""A formula that is not closed yet."""


def _end(pattern: str, text: str, offset: int) -> int:
    """Return the end of a pattern's match at an offset."""
    match = re.compile(pattern).match(text, offset)
    return match.end() if match else offset


def _line(before: Sequence[Token]) -> list[Token]:
    """Return the tokens of the statement that continues after these; none if a new one begins."""
    end = before[-1].end if before else 0
    source = before[-1].source if before else Source("", "")
    here = Token("NAME", "", end, end, source)
    return list(statements_of([*before, here]))[-1][:-1]


def _rest(source: Source, end: int) -> list[Token]:
    """Return the tokens after the offset, up to the end of the stage or of the line."""
    line_end = source.text.find("\n", end)
    rest = Source(source.name, source.text[end : line_end if line_end >= 0 else len(source.text)])
    found = list(tokens(rest))
    stops = (i for i in range(len(found)) if found[i].type == "RPAR" or opens_a_stage(found, i))
    return found[: next(stops, len(found))]


class _Asked:
    """One request: the tokens of the statement before and after the offset, and the word so far."""

    def __init__(self, document: Document, line: list[Token], rest: list[Token], written: str, in_formula: bool):
        self.document = document
        self.known = document.known
        self.line = line
        self.rest = rest
        self.written = written
        self.in_formula = in_formula

    def items(self) -> Iterator[Completion]:
        """Yield the completions in the order to show."""
        first = self.line[0].type if self.line else None
        if self.in_formula:
            yield from self._names()
            return
        if first is None:
            yield from self._stages()
            yield from self._statements()
        elif first == "SWEEP":
            yield from self._sweep()
        elif first == "LET":
            yield from self._let()
        elif first == "EXPECT":
            yield from self._expected()
        elif first in ("INCLUDE", "VARIANT") or (
            first == "BLOCK" and not any(opens_a_stage(self.line, i) and i > 2 for i in range(len(self.line)))
        ):
            return
        elif opens_a_stage(self.line, len(self.line) - 1) or self.line[-1].type == "LABEL":
            yield from self._stages()
        else:
            yield from self._in_stage()

    def _stages(self) -> Iterator[Completion]:
        for name, cls in layers().items():
            kind: CompletionKind = "activation" if name in words("activation") else "layer"
            yield Completion(name, kind, cls.help(), about(cls), self._open(word_snippet(cls)))
        for name, block in self.known.blocks.items():
            needed = tuple(p for p in block.parameters if p not in {option.name for option in block.defaults})
            heading, snippet = f"block {block.heading()}", block_snippet(name, needed)
            yield Completion(name, "block", heading, f"`{block.span.text}`", self._open(snippet))
        yield self._keyword("repeat", "REPEAT")
        if any(token.type == "LPAR" for token in self.line):
            yield Completion("skip", "keyword", "the input itself")

    def _statements(self) -> Iterator[Completion]:
        for name, named in statements().items():
            cls = named.get(name)
            if name in SECTIONS or cls is None:
                yield Completion(name, "statement", f"one of {', '.join(named)}")
            else:
                yield Completion(name, "statement", cls.help(), about(cls), self._open(word_snippet(cls)))
        for name, kind in lexicon().reserved.items():
            if kind != "REPEAT":
                yield self._keyword(name, kind)

    def _keyword(self, word: str, kind: str) -> Completion:
        return Completion(word, "keyword", described(KEYWORDS[kind]), "", self._open(snippets.KEYWORDS.get(kind, "")))

    def _open(self, snippet: str) -> str:
        """Return a snippet where the rest of the line is free for it, else ""."""
        return "" if self.rest else snippet

    def _let(self) -> Iterator[Completion]:
        if len(self.line) == 1:  # such as in a variant, which gives a let another value
            yield from (
                Completion(name, "variable", f"now {let.value.written()}") for name, let in self.known.lets.items()
            )
        elif self.line[-1].type != "EQUAL":
            yield from self._variables()  # after a sign
        else:
            yield from self._variables()
            yield from (Completion(name, "value", cls.help(), about(cls)) for name, cls in words("activation").items())

    def _expected(self) -> Iterator[Completion]:
        if len(self.line) == 1 or self.line[-1].type == "COMMA":
            yield Completion(LOSS, "value", "the loss of the test split, else of validation")
            for name, cls in words("metric").items():
                yield Completion(name, "value", cls.help(), about(cls))
        else:
            yield from self._variables()

    def _names(self) -> Iterator[Completion]:
        for name in parameters_at(self.line):
            yield Completion(name, "variable", f"a parameter of block {self.line[1].text}")
        for name, let in self.known.lets.items():
            yield Completion(name, "variable", let.value.written())
        for name in FUNCTIONS:
            yield Completion(name, "value", "of the numbers in brackets", "", f"{name}(${{0}})")

    def _variables(self) -> Iterator[Completion]:
        sign = "x$" if self.written.startswith("x$") else "$"
        for name in parameters_at(self.line):
            yield Completion(f"{sign}{name}", "variable", f"a parameter of block {self.line[1].text}")
        for name, let in self.known.lets.items():
            yield Completion(f"{sign}{name}", "variable", let.value.written())

    def _sweep(self) -> Iterator[Completion]:
        if len(self.line) == 1:
            yield from (Completion(key, "option") for key in settable_keys(self.known))
            return
        statement, _, name = self.line[1].text.partition("=")[0].strip().partition(".")
        call = self.known.settings.get(statement)
        named = str(getattr(call.arguments[0], "value", "")) if call and call.arguments else DEFAULTS.get(statement, "")
        cls = statements().get(statement, {}).get(named if statement in SECTIONS else statement)
        field = fields_of(cls).get(name) if cls is not None else None
        if self.line[-1].type == "EQUAL" and (field is None or "number" in field.kinds):
            about_it = "a range in which a search chooses, evenly in logarithms"
            yield Completion("log", "keyword", about_it, "", self._open("log ${1:1e-4}..${2:1e-1}"))
        if cls is not None and name in fields_of(cls):
            yield from self._values(cls, fields_of(cls)[name])
        elif statement in SECTIONS and not name:
            yield from self._section(statement)

    def _in_stage(self) -> Iterator[Completion]:
        begin = stage_around(self.line, len(self.line) - 1)
        written = self.line[begin:]
        if any(token.type == "RPAR" for token in written):
            return
        if written[0].type == "REPEAT":
            yield from self._repeat(len(written))
            return
        asked: str | None = None
        if written[-1].type == "EQUAL":
            if len(written) == 1:
                return
            asked, written = written[-2].text, written[:-2]
        elif written[-1].type == "COMMA":
            written = written[:-1]
        read = stage(written, begin == 0)
        if read is None:
            return
        if begin == 0 and read.call.word in SECTIONS and read.named is None:
            yield from self._section(read.call.word)
        elif (block := self.known.blocks.get(read.call.word)) is not None:
            yield from (Completion(f"{name}=", "option") for name in block.parameters if asked is None)
            yield from self._variables()
        elif read.cls is not None and asked is not None:
            yield from self._values(read.cls, fields_of(read.cls).get(asked))
        elif read.cls is not None:
            yield from self._arguments(read.cls, read)

    def _repeat(self, count: int) -> Iterator[Completion]:
        if count == 1:
            yield from self._variables()
            yield Completion("2", "value", "how often", "", self._open("${1:2} (${0})"))
        elif count == 2:
            yield Completion("(", "keyword", "the layers to repeat", "", self._open("(${0})"))

    def _section(self, section: str) -> Iterator[Completion]:
        for name, cls in statements()[section].items():
            yield Completion(name, "value", cls.help(), about(cls))

    def _arguments(self, cls: type[Word], read: Stage) -> Iterator[Completion]:
        given = set(fields_filled(cls, read.arguments).values())
        given |= {a.name for a in read.arguments if isinstance(a, Option)}
        given |= {token.text.partition("=")[0].strip() for token in self.rest if token.type == "OPTION"}
        free = [field for field in fields_of(cls).values() if field.name not in given or field.collects]
        for field in free:
            if field.bare is not None:
                yield from self._choices(field)
                if not field.choices:
                    yield Completion(field.bare.example, "value", f"{field.name}: {field.meaning}")
        for field in free:
            if field.bare is None:
                yield Completion(f"{field.name}=", "option", default(cls, field), option_entry(cls, field))
        yield from self._variables()

    def _values(self, cls: type[Word], field: WordField | None) -> Iterator[Completion]:
        if field is None or field.bare is not None:
            return
        usual = default(cls, field)
        if usual not in ("…", ""):
            yield Completion(usual, "value", "the default", field.meaning)
        if (cls, field.name) in NAMED:
            yield from (
                Completion(name, "value", field.meaning) for name in NAMED[cls, field.name](self._without_the_line())
            )
        if marker(cls.fields()[field.name], EarlierLayer) is not None:
            yield from self._earlier_layers(field)
        yield from self._choices(field)
        if "bool" in field.kinds:
            yield from (Completion(name, "value") for name in list(TRUTH)[:2])
        yield from self._variables()

    def _earlier_layers(self, field: WordField) -> Iterator[Completion]:
        """Yield the layers of this line up to here whose arrays another layer can take, by name, the last one first."""
        begin = stage_around(self.line, len(self.line) - 1)
        names, found = Names(), []
        for index, token in enumerate(self.line[:begin]):
            cls = layers().get(token.text) if token.type == "NAME" and is_word(self.line, index) else None
            if cls is None:
                continue
            label = self.line[index - 1] if index and self.line[index - 1].type == "LABEL" else None
            name = label.text[:-1].rstrip() if label is not None else names.counted(token.text, token.span)
            if issubclass(cls, Tied):
                found.append(name)
        yield from (Completion(name, "value", field.meaning) for name in reversed(found))

    def _without_the_line(self) -> Document:
        """Return the document without the statement that is being written, which has a syntax error as yet."""
        source = self.document.source
        start, end = self.line[0].start, _end(r"[^\n]*", source.text, self.line[-1].end)
        text = f"{source.text[:start]}{source.text[end:]}"
        return Document(Source(source.name, text, source.folder), self.document.unsaved)

    def _choices(self, field: WordField) -> Iterator[Completion]:
        for name in field.choices:
            cls = words(field.word_kind)[name] if field.word_kind else None
            yield Completion(name, "value", cls.help() if cls else field.meaning, about(cls) if cls else "")


def _monitored(document: Document) -> Iterator[str]:
    """Yield what a run measures: the losses, and the metrics that the spec names or has by default."""
    yield from ("validation_loss", "loss")
    given, spec = document.known.settings.get("metrics"), document.examined.spec
    named = [str(a.value) for a in given.arguments if isinstance(a, Value)] if given is not None else []
    if not named and spec is not None:
        named = [metric.word for metric in spec.metrics]
    yield from (f"{VALIDATION}{name}" for name in named or words("metric"))
    if spec is not None and spec.training_metrics:
        yield from (f"{TRAINING}{name}" for name in ("loss", *named))


NAMED: dict[tuple[type[Word], str], Callable[[Document], Iterable[str]]] = {(EarlyStop, "monitor"): _monitored}
"""The options whose values are names that the spec itself decides."""


def _files(document: Document, written: str) -> Iterator[Completion]:
    """Yield the specs and folders in the folder that a path in quotes leads to."""
    root = document.source.folder
    above, slash, _ = written.rpartition("/")
    if root is None or ".." in Path(above).parts or Path(written).is_absolute():
        return
    try:
        found = sorted((root / above).iterdir()) if (root / above).is_dir() else []
    except (OSError, ValueError):
        return
    for path in found:
        if path.name.startswith(".") or path.name == Path(document.source.name).name:
            continue
        if path.is_dir():
            yield Completion(f"{above}{slash}{path.name}/", "file")
        elif path.suffix == ".nnspec":
            yield Completion(f"{above}{slash}{path.name}", "file")
