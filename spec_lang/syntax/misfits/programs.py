"""Programs in Python → the lines of a spec: the layers that they make, in order, and what they say of the training."""

import re
from typing import Any

from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.misfits.brackets import called, word_called
from nnspec.spec_lang.syntax.misfits.pieces import closing, pieces_of
from nnspec.spec_lang.syntax.misfits.walk import Walk

_CLASS = re.compile(r"^\s*class \w+", re.M)
_FORWARD = re.compile(r"^[ \t]*def (?:forward|call|__call__)\b", re.M)
_SETTINGS = ("optimizer", "loss", "metrics", "epochs", "batch_size", "lr", "learning_rate")


def sound(line: str, words: KnownWords) -> str | None:
    """Return a loose line as the language writes it, None if it is not understood."""
    from nnspec.spec_lang.syntax.misfits.reading import is_sound, read

    span = Span(Source("", line), 0, len(line))
    if is_sound(span, words):
        return line
    reading = read(span, words)
    if reading is None or reading.fix is None:
        return None
    fix = reading.fix
    return line[: fix.span.start] + fix.text + line[fix.span.end :]


def merged(found: dict[str, str], line: str) -> None:
    """Add a line to those found, by its statement; the options of a second one join the first."""
    head, *rest = line.split()
    if head not in found:
        found[head] = line
        return
    known = found[head].split()
    found[head] = " ".join([*known, *(word for word in rest if "=" in word)])
    if head == "train" and "epochs" in rest and "epochs" not in known:
        found[head] = " ".join(["train", *rest, *known[1:]])


def called_with(word: str, arguments: dict[str, Any], words: KnownWords) -> str | None:
    """Return a layer with arguments by their names, "" for one without."""
    text = ", ".join(f"{name}={_python(value)}" if name else _python(value) for name, value in arguments.items())
    call = f"{word}({text})"
    return _layer(Walk(call, pieces_of(call, 0, len(call)), words, {}))


def _python(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"({', '.join(map(str, value))})"
    return f"'{value}'" if isinstance(value, str) and not re.fullmatch(r"[\d.x]+", value) else str(value)


def _layer(walk: Walk) -> str | None:
    """Return the layer that a call makes, None if it makes none."""
    meant = word_called(walk, walk.text().split(".")[-1], walk.words)
    end = closing(walk.pieces, walk.position + 1)
    if meant is None or meant[1] or end is None:
        return None
    found = called(walk, meant[0], walk.pieces[walk.position + 2 : end])
    return found[0] if found is not None else None


def lines_of_program(text: str, words: KnownWords) -> list[str]:
    """Return the lines of the layers that a program makes by Sequential or in the constructor of a class.

    What a class does between its layers is not known, so that its line has the layers alone.
    """
    forward = _FORWARD.search(text)
    made = text[: forward.start()] if forward else text
    pieces = pieces_of(made, 0, len(made))
    walk = Walk(made, pieces, words, {})
    layers: list[str] = []
    shape: str | None = None
    settings: dict[str, str] = {}
    for position, piece in enumerate(pieces):
        walk.position = position
        if piece.kind == "WORD" and walk.text(1) == "(" and piece.text.split(".")[-1][:1].isupper():
            layer = _layer(walk)
            if layer is not None:
                layers.append(layer)
        if piece.text in ("input_shape", "shape") and walk.text(1) == "=" and walk.text(2) == "(":
            end = closing(pieces, position + 2)
            numbers = [p.text for p in pieces[position + 3 : end] if p.text.isdigit()]
            shape = shape or ("x".join(numbers) if numbers else None)
        if piece.text in _SETTINGS and walk.text(1) == "=" and walk.kind(2) in ("TEXT", "NUMBER"):
            line = sound(f"{piece.text}={walk.text(2)}", words)
            if line is not None:
                merged(settings, line)
    if not layers:
        return []
    line = " -> ".join(layers)
    return [*([f"input {shape}"] if shape else []), line, *settings.values()] if not _CLASS.search(text) else [line]
