"""The manual page of the command, made from the command itself.

python -m tools.man               writes docs/nnspec.1, which the wheel installs as share/man/man1/nnspec.1
man docs/nnspec.1                 reads it
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from nnspec.cli import command_line
from tools.verbs import CODES, ENVIRONMENT, FILES, options, paragraphs, usage, verbs

HOME = Path("docs/nnspec.1")


def page() -> str:
    """Return the page in the macros of man(7)."""
    lines = [
        '.\\" Made by python -m tools.man from the command.',
        ".TH NNSPEC 1",
        ".SH NAME",
        rf"nnspec \- {_roff(paragraphs(command_line)[0].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B nnspec",
        ".I VERB",
        "[OPTIONS] [ARGUMENTS]",
        ".SH VERBS",
        *(line for name, verb in verbs(command_line, "nnspec") for line in _verb(name, verb)),
    ]
    for title, rows in (("EXIT STATUS", CODES), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines += [f".SH {title}", *(line for term, about in rows for line in _entry(term, about))]
    return "\n".join(lines) + "\n"


def _verb(name: str, verb: click.Command) -> Iterator[str]:
    yield f".SS {_roff(usage(name, verb))}"
    for number, paragraph in enumerate(paragraphs(verb)):
        if number:
            yield ".PP"
        yield _roff(paragraph)
    for written, about in options(verb):
        yield from _entry(written, about)
    examples = getattr(verb, "examples", ())
    if examples:
        yield from (".PP", "Examples:", ".PP", ".nf", *(f"    {_roff(example)}" for example in examples), ".fi")


def _entry(term: str, about: str) -> list[str]:
    return [".TP", f".B {_roff(term)}", _roff(about)]


def _roff(text: str) -> str:
    """Return a text on one line without characters that mean something to troff."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace('"', r"\(dq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else HOME).write_text(page(), encoding="utf-8")
