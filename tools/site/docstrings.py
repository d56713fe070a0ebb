"""Docstrings, which are written as plain text with `code` in backticks, for the page of the Python names."""

import re
from typing import Any

from sphinx.application import Sphinx


def as_rst(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Change the lines of a docstring in place: `code` is written ``code``, and * and _ mean themselves."""
    lines[:] = [_line(line) for line in lines]


def _line(line: str) -> str:
    parts = re.split(r"(`[^`]+`)", line)
    return "".join(f"`{part}`" if part.startswith("`") else re.sub(r"([*|]|_\b)", r"\\\1", part) for part in parts)


def without_constructor(
    app: Sphinx, what: str, name: str, found: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """Leave out the signature of a class: functions return its instances, programs do not make them."""
    return ("", None) if what in ("class", "exception") and signature is not None else None
