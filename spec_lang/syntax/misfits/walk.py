"""The state of reading a statement loosely, as the readers see it, and what they answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from nnspec.spec_lang.report.known_words import Fields, KnownField, KnownWords
from nnspec.spec_lang.syntax.grammar import value_kind
from nnspec.spec_lang.syntax.misfits.pieces import END, Piece

State = Literal["start", "call", "after"]
"""Where a walk is: before a stage, among the arguments of a call, after a closing bracket."""

TRUTH = ("yes", "no", "true", "false", "on", "off")

EQUALS = (":", ":=", "==", "=>", "=")
"""Signs between the name of an option and its value, here and elsewhere."""

UNKNOWN: Fields = {}


class Edit(NamedTuple):
    """A part of the text and what to write there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Meaning:
    """What a reader makes of the pieces ahead.

    Arguments:
        taken: the number of pieces that it has read.
        text: what to write in their place, None for the same.
        says: the message, None for that of the language.
        help: what to do, None for "write" and the new text.
        sure: whether nothing else can be meant.
        fills: the field of the call that is filled now.
        call: the call that begins, if one does.
        state: the state afterwards, None for the same.
        more: further edits, elsewhere in the statement.
        at: the piece that is the mistake, of those that are taken.
        width: the number of pieces of the mistake, 0 for all.
        mends: whether the edit is offered; where it needs another line too, the help is all.
    """

    taken: int
    text: str | None = None
    says: str | None = None
    help: str | None = None
    sure: bool = True
    fills: str | None = None
    call: "Call | None" = None
    state: State | None = None
    more: tuple[Edit, ...] = ()
    at: int = 0
    width: int = 0
    mends: bool = True


@dataclass
class Call:
    """A word and what it has so far. `fields` are those of the word, None for a block's use, which may take anything.

    `named` are the words that a statement still chooses from, such as `adam` after `optimizer`. Later `chosen` is
    where the chosen word is, and `others` are all of them.
    """

    word: str
    statement: bool
    fields: Fields | None
    named: Mapping[str, Fields] | None = None
    filled: set[str] = field(default_factory=set)
    chosen: tuple[int, int] | None = None
    others: Mapping[str, Fields] = field(default_factory=dict)

    @classmethod
    def of(cls, word: str, words: KnownWords, statement: bool = False) -> "Call":
        """Return the call of a layer or of a statement, without arguments."""
        named = words.fields_of(word)
        return cls(word, statement, named[word]) if word in named else cls(word, statement, UNKNOWN, named)

    def free(self) -> list[KnownField]:
        """Return the fields without a name that take another value."""
        return [f for f in (self.fields or {}).values() if f.bare and (f.collects or f.name not in self.filled)]

    def option(self, name: str) -> KnownField | None:
        """Return the option of a name that is not given yet."""
        found = (self.fields or {}).get(name)
        return found if found is not None and name not in self.filled else None

    def place(self, text: str) -> KnownField | None:
        """Return the field that a value without a name fills."""
        return next((found for found in self.free() if accepts(found, text, bare=True)), None)

    def lists_names(self) -> bool:
        """Return whether it takes a list of names, with commas between them."""
        return any(f.collects and f.bare is not None and "name" in f.bare.kinds for f in (self.fields or {}).values())

    def complete(self) -> bool:
        """Return whether nothing is missing."""
        wanted = [f.name for f in (self.fields or {}).values() if f.required]
        return self.named is None and all(name in self.filled for name in wanted)


def accepts(wanted: KnownField, text: str, bare: bool = False) -> bool:
    """Return whether a value, as written, is of a kind that a field accepts; its range is not looked at."""
    kind = value_kind(text)
    if kind == "formula":
        return True  # what it gives is not known yet
    if kind == "variable":
        return not text.startswith("x") or "count" in wanted.kinds
    if kind is None or (bare and wanted.bare is not None and kind not in wanted.bare.kinds):
        return False
    if kind == "name" and "bool" in wanted.kinds and text.lower() in TRUTH:
        return True
    if kind == "name" and wanted.choices:
        return text in wanted.choices
    return kind in wanted.kinds - {"bool"}


@dataclass
class Walk:
    """A walk over the pieces of a statement. Readers look ahead with `piece`, `text` and `touches`.

    `line` says that the text is a line, which may be a setting; else it is a stage of a network. `brackets` has where
    the brackets begin that are open, `opened` where those that are closed begin.
    """

    source: str
    pieces: Sequence[Piece]
    words: KnownWords
    blocks: Mapping[str, Sequence[str]]
    position: int = 0
    state: State = "start"
    call: Call | None = None
    line: bool = True
    brackets: list[int] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)

    def piece(self, ahead: int = 0) -> Piece:
        """Return the piece at a distance, END after the last one and before the first."""
        index = self.position + ahead
        return self.pieces[index] if 0 <= index < len(self.pieces) else END

    def text(self, ahead: int = 0) -> str:
        """Return the text of the piece at a distance."""
        return self.piece(ahead).text

    def kind(self, ahead: int = 0) -> str:
        """Return the kind of the piece at a distance."""
        return self.piece(ahead).kind

    def touches(self, ahead: int = 0) -> bool:
        """Return whether no blank is between a piece and the next."""
        return self.piece(ahead).end == self.piece(ahead + 1).start

    @property
    def first(self) -> bool:
        """Whether the next piece begins a line."""
        return self.position == 0 and self.line

    def is_stage(self, ahead: int = 0) -> bool:
        """Return whether a piece is the word of a layer or block."""
        text = self.text(ahead)
        return self.kind(ahead) == "WORD" and (text in self.words.layers or text in self.blocks or text == "skip")

    def taken_by(self, ahead: int = 0) -> bool:
        """Return whether the call takes the word as one of its own values, such as an activation."""
        return self.call is not None and self.call.place(self.text(ahead)) is not None


Reader = Callable[[Walk], Meaning | None]

READERS: dict[State, list[tuple[int, str, Reader]]] = {"start": [], "call": [], "after": []}
"""The readers by the state in which they are asked, each with its rank and its name, in the order of their ranks."""


def reads(*states: State, rank: int = 5) -> Callable[[Reader], Reader]:
    """Register a reader. Of readers that recognise the same pieces the one with the lower rank is asked first."""

    def register(reader: Reader) -> Reader:
        for state in states:
            READERS[state].append((rank, f"{reader.__module__}.{reader.__qualname__}", reader))
            READERS[state].sort(key=lambda entry: entry[:2])
        return reader

    return register


@dataclass(frozen=True)
class Written:
    """A value in the syntax of the language: how many pieces it was, and its text."""

    taken: int
    text: str
    says: str | None = None
    sure: bool = True


ValueReader = Callable[[Walk, int, KnownField], Written | None]
"""Reads a value for a field from the piece at a distance."""

VALUE_READERS: list[tuple[int, str, ValueReader]] = []


def reads_values(rank: int = 5) -> Callable[[ValueReader], ValueReader]:
    """Register a reader of values."""

    def register(reader: ValueReader) -> ValueReader:
        VALUE_READERS.append((rank, f"{reader.__module__}.{reader.__qualname__}", reader))
        VALUE_READERS.sort(key=lambda entry: entry[:2])
        return reader

    return register


def _all_accepted(wanted: KnownField, text: str) -> bool:
    """Return whether a field accepts a value, or each of several."""
    values = text.split(", ") if wanted.several else text.split(" ") if wanted.collects else (text,)
    return all(accepts(wanted, value, bare=wanted.bare is not None) for value in values)


def value_for(walk: Walk, ahead: int, wanted: KnownField) -> Written | None:
    """Return the value that the pieces ahead mean for a field, as the language writes it, or None."""
    text = walk.text(ahead)
    strict = Written(1, text) if accepts(wanted, text, bare=wanted.bare is not None) else None
    for _, _, reader in VALUE_READERS:
        found = reader(walk, ahead, wanted)
        sound = found is not None and _all_accepted(wanted, found.text)
        if found is not None and sound and (strict is None or found.taken > 1):
            return found
    return strict
