"""Signature help: what the word before an offset takes, and which of it is being written."""

from typing import NamedTuple

from nnspec.spec_lang.check.bind import fields_filled
from nnspec.spec_lang.editor.document import Document, Stage, stage, stage_around
from nnspec.spec_lang.editor.hover import field_text
from nnspec.spec_lang.editor.reference import default
from nnspec.spec_lang.source import Token
from nnspec.spec_lang.syntax.grammar import parse_option
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import Word


class Parameter(NamedTuple):
    """A value or an option of a word: how it is written, and what it means."""

    text: str
    about: str


class Signature(NamedTuple):
    """A word, what it takes in the order to write, and the number of the parameter at the offset, None for none."""

    word: str
    parameters: tuple[Parameter, ...]
    active: int | None
    about: str

    @property
    def label(self) -> str:
        """The word and its parameters on one line."""
        return " ".join([self.word, *(parameter.text for parameter in self.parameters)])


def signature(document: Document, offset: int) -> Signature | None:
    """Return what the stage or the setting at an offset takes, None where nothing is being written."""
    line = next((s for s in document.statements if s[0].start <= offset and not _is_past(document, s, offset)), None)
    if line is None or line[0].type in ("LET", "SWEEP", "EXPECT", "INCLUDE", "VARIANT"):
        return None
    count = sum(token.end < offset or (token.end == offset and token.type != "ARROW") for token in line)
    if count == 0:
        return None
    begin = stage_around(line, count - 1) if line[count - 1].type != "ARROW" else count
    written = [token for token in line[begin:count] if token.type != "COMMA"]
    asked = None
    if len(written) > 2 and written[-1].type == "EQUAL":
        asked, written = written[-2].text, written[:-2]
    read = stage(written, begin == 0)
    if read is None or offset <= read.call.word_span.end:
        return None
    block = document.known.blocks.get(read.call.word)
    if block is not None:
        parameters = tuple(Parameter(name, f"a parameter of block {block.name}") for name in block.parameters)
        return Signature(block.name, parameters, _of_block(block.parameters, read, asked, offset), block.span.text)
    if read.cls is None:
        return None
    fields = list(fields_of(read.cls).values())
    head = read.call.word if read.named is None else f"{read.call.word} {read.cls.word}"
    parameters = tuple(Parameter(_written(read.cls, field), field_text(read.cls, field)) for field in fields)
    names = [field.name for field in fields]
    return Signature(head, parameters, _active(read, names, asked, written[-1], offset), read.cls.help())


def _is_past(document: Document, line: list[Token], offset: int) -> bool:
    """Return whether a statement ends before an offset: another line begins, or a comment."""
    end = line[-1].end
    return "\n" in document.source.text[end:offset] or "#" in document.source.text[end:offset]


def _written(cls: type[Word], field: WordField) -> str:
    if field.bare is None:
        return f"{field.name}={default(cls, field)}"
    text = f"{field.name}…" if field.collects else field.name
    return text if field.required else f"[{text}]"


def _active(read: Stage, names: list[str], asked: str | None, last: Token, offset: int) -> int | None:
    """Return the field of the token that ends at the offset, or of the value to write next."""
    if asked is not None:
        return names.index(asked) if asked in names else None
    assert read.cls is not None
    filled = fields_filled(read.cls, read.arguments)
    if last.end == offset:
        if last.type == "OPTION":
            name = parse_option(last).name
            return names.index(name) if name in names else None
        at = next((p for p, argument in enumerate(read.arguments) if argument.span.start == last.start), None)
        field = filled.get(at) if at is not None else None
        return names.index(field) if field in names else None
    given = set(filled.values())
    free = (i for i, f in enumerate(fields_of(read.cls).values()) if f.name not in given or f.collects)
    return next(free, None)


def _of_block(names: tuple[str, ...], read: Stage, asked: str | None, offset: int) -> int | None:
    if asked is not None:
        return names.index(asked) if asked in names else None
    before = [argument for argument in read.call.arguments if argument.span.end < offset]
    return len(before) if len(before) < len(names) else None
