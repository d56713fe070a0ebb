"""How a text file writes its table: encoding, separator, decimal sign, header, comments. Sniffed unless given."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.tables.cells import decimal_sign, is_missing, number_of
from nnspec.runtime.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
SPACE = " "
"""The separator of columns that are set apart by any number of spaces."""

_SAMPLE_LINES = 200
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEXTS = ("a text file", "an XML document", "a binary file of an unknown kind")
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_UNDEFINED = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])  # no character of cp1252
_IN_WORDS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", SPACE: "spaces"}


@dataclass(frozen=True)
class Options:
    """What the user says of a file; None is sniffed. `columns` are names that a header has if there is one."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    comment: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `notes` say what was sniffed and is not the commonest."""

    encoding: str
    separator: str
    decimal: str
    header: bool
    comment: str | None
    notes: tuple[str, ...] = field(default=(), compare=False)


def sniff(path: Path, given: Options) -> Dialect:
    """Return the dialect of a file. Raises DataError where it is missing or is not a text."""
    encoding, notes = given.encoding or "", []
    if not encoding:
        encoding = _encoding(path)
        if encoding not in ("utf-8", "utf-8-sig"):
            notes.append(f"its text is {encoding}")
    lines = [line for line in islice(text_lines(path, encoding), _SAMPLE_LINES) if line.strip()]
    comment = given.comment
    if comment is None and lines and lines[0].startswith("#"):
        comment = "#"
        notes.append('lines that begin with "#" are comments')
    declared = _declared_separator(lines)
    lines = [line for line in lines if not (comment and line.startswith(comment))][declared is not None :]
    separator = given.separator or declared or guess_separator(lines)
    if given.separator is None and separator != ",":
        notes.append(f"columns are separated by {_IN_WORDS[separator]}")
    try:
        rows = [[cell.strip() for cell in row] for row in records(lines, separator)]
    except csv.Error:
        rows = []
    decimal = given.decimal
    if decimal is None:
        decimal = decimal_sign((cell for row in rows[1:] for cell in row), "," if separator == ";" else ".")
        if decimal == ",":
            notes.append("decimals have a comma")
    header = given.header
    if header is None:
        header = _has_header(rows, given.columns, decimal)
        if not header:
            notes.append("there is no header line, so the columns are called column1, column2, …")
    return Dialect(encoding, separator, decimal, header, comment, tuple(notes))


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a file. Raises DataError, with the line, for bytes that are not text in this encoding."""
    number = 0
    with open_for_reading(path) as file:
        try:
            with io.TextIOWrapper(file, encoding, newline="") as text:
                for number, line in enumerate(text, 1):  # noqa: B007
                    yield line
        except UnicodeError:
            raise DataError(
                f"{path} is not text in {encoding} after line {number}; write encoding= with the one that it has"
            ) from None
        except LookupError:
            raise DataError(f'no encoding of text is called "{encoding}"; write encoding=cp1252, for example') from None


def records(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of each record, not stripped. Raises csv.Error where a quote is not closed."""
    spaces = separator == SPACE
    text = (line.strip() + "\n" for line in lines) if spaces else lines
    yield from csv.reader(text, delimiter=separator, strict=True, skipinitialspace=spaces)


def guess_separator(lines: Sequence[str]) -> str:
    """Return the separator that cuts most lines into the same number of cells, a comma where none cuts them."""
    best, most = ",", (0.0, 0)
    for separator in (*SEPARATORS, SPACE):
        if separator == SPACE and most[0] >= 0.5:
            break
        try:
            counts = Counter(len(row) for row in records(lines, separator) if row)
        except csv.Error:
            continue
        counts.pop(1, None)
        if counts:
            width, agreeing = max(counts.items(), key=lambda entry: (entry[1], entry[0]))
            score = (round(agreeing / len(lines), 1), width)
            if score > most and (separator != SPACE or score[0] == 1):
                best, most = separator, score
    return best


def _declared_separator(lines: Sequence[str]) -> str | None:
    """Return the separator of a first line such as `sep=;`, which spreadsheets write."""
    first = lines[0].strip("\r\n\ufeff ") if lines else ""
    return first[4:].strip('"') or None if first.lower().startswith("sep=") and len(first) <= 6 else None


def _has_header(rows: Sequence[list[str]], wanted: tuple[str, ...], decimal: str) -> bool:
    """Return whether the first row names the columns: it has a wanted name, or no number over a column of numbers."""
    named = [name for name in wanted if name in rows[0]] if rows else []
    if not rows or (named and (len(named) == len(wanted) or not all(_is_number(name, decimal) for name in named))):
        return True
    if all(_is_number(cell, decimal) for cell in rows[0]):
        return False
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    numeric = [c for c in range(len(rows[0])) if below and all(_is_number(row[c], decimal, True) for row in below)]
    return not numeric or not all(_is_number(rows[0][column], decimal, True) for column in numeric)


def _is_number(cell: str, decimal: str, or_missing: bool = False) -> bool:
    return number_of(cell, decimal) is not None and (or_missing or not is_missing(cell))


def _encoding(path: Path) -> str:
    """Return the encoding of a text file. Raises DataError where it is not one."""
    head = first_bytes(path, 4096)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\x00" in head and (wide := _wide(head)):
        return wide
    kind = looks_like(head[:512])
    if b"\x00" in head or kind not in _TEXTS:
        if path.suffix.lower() in _SPREADSHEETS:
            raise DataError(f"{path} is a spreadsheet: save it as CSV, which every program for spreadsheets writes")
        raise DataError(f"{path} is not a table: it seems to be {kind}")
    decoder, undefined = codecs.getincrementaldecoder("utf-8")(), False
    utf8 = True
    with open_for_reading(path) as file:
        while chunk := file.read(2**20):
            undefined = undefined or any(byte in chunk for byte in _UNDEFINED)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf8 = False
            if not utf8 and undefined:
                break
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        utf8 = False
    return "utf-8" if utf8 else "latin-1" if undefined else "cp1252"


def _wide(head: bytes) -> str | None:
    """Return UTF-16 in its byte order for a text without a mark, whose every second byte is mostly 0."""
    even, odd = head[0::2], head[1::2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.6 * len(zeros) and not others.count(0):
            return encoding
    return None
