"""Text sources: by character, in pieces of equal length, or by line, where each line is a sequence."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.runtime.data.datasets import Dataset, register
from nnspec.runtime.data.files import looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.characters import BREAK, encode_text, vocabulary_of
from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.vocabulary import sequence_sources as words

DINOS = Path(__file__).with_name("dinos.txt")
MOST_SYMBOLS = 500_000_000  # symbols in memory: every line is padded to the longest


@reads(words.Text)
def load_text(word: words.Text, folder: Path) -> Samples:
    """Read the text that the word names. Raises DataError where it is empty, not UTF-8, or shorter than a window."""
    path = folder / word.path
    text = read_text(path, word.case)
    if word.by == "line":
        vocabulary = vocabulary_of(text + BREAK)
        samples = _lines(path, text, vocabulary)
        length = samples.inputs.shape[1]
    else:
        vocabulary = vocabulary_of(text)
        length = word.window
        samples = _pieces(path, text, vocabulary, length)
    if word.test is None:
        return samples
    path = folder / word.test
    text = read_text(path, word.case)
    test = _lines(path, text, vocabulary, length) if word.by == "line" else _pieces(path, text, vocabulary, length)
    return replace(samples, test=test)


@reads(words.Dinos)
def load_dinos(word: words.Dinos, folder: Path) -> Samples:
    """Read the included names in lower case: 27 symbols, one of them the line break around each name."""
    text = read_text(DINOS, "lower")
    return replace(_lines(DINOS, text, vocabulary_of(text + BREAK)), name=word.word)


def read_text(path: Path, case: str) -> str:
    """Return a UTF-8 text with line breaks as "\\n", without a byte order mark; lower case for the case "lower"."""
    with open_for_reading(path) as file:
        content = file.read()
    if not content.strip():
        raise DataError(f"{path} is empty: there is nothing to learn from")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line} is not UTF-8 text; it seems to be {looks_like(content[:512])}; save it as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.lower() if case == "lower" else text


def _pieces(path: Path, text: str, vocabulary: Sequence[str], window: int) -> Samples:
    """Cut a text into consecutive pieces; the target of each character is the next one in the text."""
    symbols = encode_text(text, vocabulary, _place_in(path, text))
    count = (len(symbols) - 1) // window
    if count < 1:
        raise DataError(
            f"{path} has {len(text):,} characters, and a window of {window} with the character after it needs "
            f"{window + 1:,}: write a smaller window="
        )
    inputs = symbols[: count * window].reshape(count, window)
    targets = symbols[1 : count * window + 1].reshape(count, window).astype(np.int64)
    place = _place_in(path, text)
    return Samples(
        path.name,
        inputs,
        targets,
        lambda index: place(index * window),
        symbols=tuple(vocabulary),
        steps=True,
        ordered=True,
    )


def _lines(path: Path, text: str, vocabulary: Sequence[str], length: int | None = None) -> Samples:
    """Return every line that is not blank: a line break and its characters as input, the reverse as target."""
    numbered = [(number, line.strip()) for number, line in enumerate(text.split(BREAK), 1) if line.strip()]
    longest = max(len(line) for _, line in numbered) + 1
    if length is not None and longest > length:
        number = next(number for number, line in numbered if len(line) >= length)
        raise DataError(f"{path}, line {number} is longer than the longest training line, {length - 1} characters")
    length = length or longest
    if length * len(numbered) > MOST_SYMBOLS:
        raise DataError(
            f"{path} has {len(numbered):,} lines, the longest of {longest - 1:,} characters, and every line is padded "
            "to that length, which takes too much memory: write by=character"
        )
    inputs = np.full((len(numbered), length), PADDING, np.int16 if len(vocabulary) < 2**15 else np.int32)
    targets = np.full((len(numbered), length), PADDING, np.int64)
    ends = vocabulary.index(BREAK)
    for row, (number, line) in enumerate(numbered):
        symbols = encode_text(line, vocabulary, _column(path, number))
        inputs[row, 0] = targets[row, len(line)] = ends
        inputs[row, 1 : len(line) + 1] = targets[row, : len(line)] = symbols
    return Samples(
        path.name,
        inputs,
        targets,
        lambda index: f"{path}, line {numbered[index][0]}",
        symbols=tuple(vocabulary),
        steps=True,
    )


def _column(path: Path, line: int) -> Callable[[int], str]:
    return lambda index: f"{path}, line {line}, column {index + 1},"


def _place_in(path: Path, text: str) -> Callable[[int], str]:
    starts = [0, *(index + 1 for index, character in enumerate(text) if character == BREAK)]

    def place(index: int) -> str:
        line = bisect_right(starts, index)
        return f"{path}, line {line}, column {index - starts[line - 1] + 1},"

    return place


register(Dataset("dinos", words.Dinos.help(), 1_533, 0, (24,), lambda: DINOS, lambda progress: DINOS))
