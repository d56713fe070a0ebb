"""The table of docs/exchange.md: which words of the language go where, asked of the ways out themselves.

python -m tools.exchange          writes the table into docs/exchange.md
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnspec.exchange.export import Way, ways
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.activation import Activation
from nnspec.spec_lang.vocabulary.registry import layers, words

HOME = Path("docs/exchange.md")

BEGIN, END = "<!-- python -m tools.exchange -->\n", "<!-- the end of what tools.exchange writes -->\n"


def table() -> str:
    """Return the table in Markdown: a row for each layer and merge, a column for each way that says what goes."""
    known = {name: way for name, way in ways().items() if way.says is not None}
    lines = [f"| | {' | '.join(f'`--to {name}`' for name in known)} |", f"|---|{'---|' * len(known)}"]
    for title, found in _words().items():
        lines.append(f"| **{title}** |{' |' * len(known)}")
        lines += [_row(word, cls, list(known.values())) for word, cls in found.items()]
    return "\n".join(lines) + "\n"


def _words() -> dict[str, dict[str, type[Layer]]]:
    activations = {word: cls for word, cls in layers().items() if issubclass(cls, Activation)}
    merges = {f"`{word}`": cls for word, cls in words("merge").items() if issubclass(cls, Layer)}
    others = {word: cls for word, cls in layers().items() if word not in activations}
    return {"layers": _sorted(others), "activations": _sorted(activations), "branches": _escaped(merges)}


def _sorted(found: Mapping[str, type[Any]]) -> dict[str, type[Layer]]:
    return {f"`{word}`": found[word] for word in sorted(found)}


def _escaped(found: dict[str, type[Layer]]) -> dict[str, type[Layer]]:
    return {word.replace("|", r"\|"): cls for word, cls in found.items()}


def _row(word: str, cls: type[Layer], known: list[Way]) -> str:
    return f"| {word} | {' | '.join(way.says(cls) for way in known if way.says is not None)} |"


def written(page: str) -> str:
    """Return a page with the table between its marks."""
    return re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: table(), page)


if __name__ == "__main__":
    HOME.write_text(written(HOME.read_text(encoding="utf-8")), encoding="utf-8")
