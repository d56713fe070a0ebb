"""JSON, TOML and YAML → the lines of a spec; none where a part is not understood."""

import json
import re
import tomllib
from typing import Any

from nnspec.spec_lang.report import other_spellings as foreign
from nnspec.spec_lang.report.known_words import KnownWords
from nnspec.spec_lang.syntax.misfits.programs import called_with, merged, sound

_LAYERS = ("layers", "network", "model", "architecture", "net", "layer", "stages", "backbone")
_KIND = ("type", "kind", "class", "class_name", "layer", "name", "module", "op")
_AROUND = ("spec", "config", "training", "hyperparameters", "params", "settings")
DEEPEST = 20


def lines_of_json(text: str, words: KnownWords) -> list[str]:
    """Return the lines of a JSON document; none if it cannot be understood whole."""
    try:
        return _lines(json.loads(text), words)
    except (ValueError, RecursionError):
        return []


def lines_of_toml(text: str, words: KnownWords) -> list[str]:
    """Return the lines of a TOML document."""
    try:
        return _lines(tomllib.loads(text), words)
    except (ValueError, RecursionError):
        return []


def lines_of_yaml(text: str, words: KnownWords) -> list[str]:
    """Return the lines of a YAML document of mappings, lists and plain values."""
    rows = [
        (len(row) - len(row.lstrip()), row.strip()) for row in _without_comments(text) if row.strip() not in ("", "---")
    ]
    try:
        tree, rest = _block(rows, 0, 0)
    except (ValueError, IndexError):
        return []
    return _lines(tree, words) if rest == len(rows) else []


def _without_comments(text: str) -> list[str]:
    return [re.sub(r"(^|\s)#.*", "", row).rstrip() for row in text.split("\n")]


def _block(rows: list[tuple[int, str]], at: int, depth: int) -> tuple[Any, int]:
    """Return the mapping or the list that begins at a row, and the row after it."""
    if depth > DEEPEST:
        raise ValueError
    indent, is_list = rows[at][0], rows[at][1].startswith("- ")
    mapping: dict[str, Any] = {}
    items: list[Any] = []
    while at < len(rows) and rows[at][0] == indent and rows[at][1].startswith("- ") == is_list:
        row = rows[at][1]
        if is_list:
            inner = row[2:].strip()
            if re.match(r"[\w\"']+\s*:(\s|$)", inner):
                rows[at] = (indent + 2, inner)
                value, at = _block(rows, at, depth + 1)
            else:
                value, at = _scalar(inner), at + 1
            items.append(value)
            continue
        key, colon, rest = row.partition(":")
        if not colon:
            raise ValueError
        key = key.strip().strip("\"'")
        nested = at + 1 < len(rows) and (
            rows[at + 1][0] > indent or (rows[at + 1][0] == indent and rows[at + 1][1].startswith("- "))
        )
        if not rest.strip() and nested:
            mapping[key], at = _block(rows, at + 1, depth + 1)
        else:
            mapping[key], at = _scalar(rest.strip()), at + 1
    return (items if is_list else mapping), at


def _scalar(text: str) -> Any:
    if text[:1] in ("[", "{"):
        inner = [part.strip() for part in text[1:-1].split(",") if part.strip()]
        if text[0] == "[":
            return [_scalar(part) for part in inner]
        return {part.partition(":")[0].strip(): _scalar(part.partition(":")[2].strip()) for part in inner}
    return text.strip("\"'")


def _lines(tree: Any, words: KnownWords) -> list[str]:
    """Return the lines of a spec for a tree; none if a part of it is not understood."""
    found: dict[str, str] = {}
    pipeline: list[str] = []
    if isinstance(tree, list):
        tree = {"layers": tree}
    if not isinstance(tree, dict) or not _gather(tree, words, found, pipeline):
        return []
    head = [line for name, line in found.items() if name in words.file_heads]
    rest = [line for name, line in found.items() if name not in words.file_heads]
    network = [" -> ".join(pipeline)] if pipeline else []
    lines = [*head, *network, *rest]
    return lines if all(sound(line, words) == line for line in lines) else []


def _gather(tree: dict[str, Any], words: KnownWords, found: dict[str, str], pipeline: list[str]) -> bool:
    for key, value in tree.items():
        name = key.lower()
        if name in _LAYERS and isinstance(value, list):
            pipeline += [layer for entry in value if (layer := _layer(entry, words))]
            if len(pipeline) < len(value):
                return False
        elif name in _LAYERS and isinstance(value, str) and "->" in value:
            pipeline.append(value)
        elif (name in _AROUND or name in _LAYERS) and isinstance(value, dict) and name not in words.statements:
            if not _gather(value, words, found, pipeline):
                return False
        elif name == "network" and isinstance(value, dict):
            named = value.pop("name", None)
            if named is not None:
                found["network"] = str(sound(f"network {named}", words))
            if not _gather(value, words, found, pipeline):
                return False
        else:
            line = sound(_loose(name, value, words), words)
            if line is None:
                return False
            merged(found, line)
    return True


def _loose(name: str, value: Any, words: KnownWords) -> str:
    """Return a setting as a loose line: `train epochs=10 batch=32`, `optimizer adam lr=0.1`, `epochs: 5`."""
    if isinstance(value, dict):
        kind = next((value[k] for k in _KIND if k in value), "")
        rest = " ".join(f"{k}={_text(v)}" for k, v in value.items() if v is not kind or k not in _KIND)
        statement = name if name in words.statements else foreign.meant(name, words.statements) or name
        return f"{statement} {kind} {rest}".replace("  ", " ").strip()
    if isinstance(value, list):
        joined = (
            "x".join(map(str, value))
            if all(isinstance(v, int) or str(v).isdigit() for v in value)
            else ", ".join(map(str, value))
        )
        return f"{name} {joined}"
    return f"{name} {_text(value)}" if name in words.statements else f"{name}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "x".join(map(str, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _layer(entry: Any, words: KnownWords) -> str | None:
    """Return a layer of a list: "conv 3x3 x8", {"type": "dense", "units": 10}, {"dense": 10}."""
    if isinstance(entry, str):
        return sound(entry.strip(), words)
    if not isinstance(entry, dict):
        return None
    if len(entry) == 1:
        ((word, inside),) = entry.items()
        if word not in _KIND:
            arguments = inside if isinstance(inside, dict) else {"": inside} if inside not in (None, "") else {}
            return called_with(word, arguments, words)
    word = next((entry[kind] for kind in _KIND if isinstance(entry.get(kind), str)), None)
    if word is None:
        return None
    used = next(kind for kind in _KIND if entry.get(kind) == word)
    config = entry.get("config") if isinstance(entry.get("config"), dict) else {}
    return called_with(word, {**{k: v for k, v in entry.items() if k not in (used, "config")}, **(config or {})}, words)
