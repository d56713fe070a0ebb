"""The manual page of the command, made from the command itself.

python -m tools.man               writes docs/nnspec.1, which the wheel installs as share/man/man1/nnspec.1
man docs/nnspec.1                 reads it
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from nnspec.cli import command_line
from nnspec.cli.command import Family

HOME = Path("docs/nnspec.1")

FILES = (
    ("runs/NAME/", "the folder of a run: its spec, last.h5, best.h5, metrics.jsonl and pictures"),
    ("*.nnspec", "specs"),
)

ENVIRONMENT = (
    ("NNSPEC_DATA", "a folder with data sets, looked into before the cache"),
    ("NNSPEC_HOME", "the folder of the cache, instead of the platform's"),
    ("NNSPEC_OFFLINE", "with 1, nothing is downloaded"),
    ("NO_COLOR, FORCE_COLOR", "whether output has colours"),
)

CODES = (
    ("0", "done"),
    ("1", "something was found, such as an error in a spec"),
    ("2", "wrong use, or a missing file"),
    ("130, 143", "after SIGINT and SIGTERM, which save a training run first"),
)


def page() -> str:
    """Return the page in the macros of man(7)."""
    lines = [
        '.\\" Made by python -m tools.man from the command.',
        ".TH NNSPEC 1",
        ".SH NAME",
        rf"nnspec \- {_roff(_first(command_line.help or '').rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B nnspec",
        ".I VERB",
        "[OPTIONS] [ARGUMENTS]",
        ".SH VERBS",
        *(line for name, verb in _verbs(command_line, "nnspec") for line in _verb(name, verb)),
    ]
    for title, rows in (("EXIT STATUS", CODES), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines += [f".SH {title}", *(line for term, about in rows for line in _entry(term, about))]
    return "\n".join(lines) + "\n"


def _verbs(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every verb with the words that call it."""
    if not isinstance(command, Family):
        yield name, command
        return
    context = click.Context(command, info_name=name)
    for word in command.list_commands(context):
        verb = command.get_command(context, word)
        if verb is not None:
            yield from _verbs(verb, f"{name} {word}")


def _verb(name: str, verb: click.Command) -> Iterator[str]:
    arguments = [p for p in verb.params if isinstance(p, click.Argument)]
    usage = " ".join(argument.metavar or (argument.name or "").upper() for argument in arguments)
    yield f".SS {_roff(f'{name} {usage}'.rstrip())}"
    for number, paragraph in enumerate(re.split(r"\n\s*\n", (verb.help or "").strip())):
        if number:
            yield ".PP"
        yield _roff(" ".join(paragraph.replace("\b", "").split()))
    for option in verb.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield from _entry(_written(option), option.help or "")
    examples = getattr(verb, "examples", ())
    if examples:
        yield from (".PP", "Examples:", ".PP", ".nf", *(f"    {_roff(example)}" for example in examples), ".fi")


def _written(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    choices = "|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else ""
    return f"{names} {option.metavar or choices or option.type.name.upper()}"


def _entry(term: str, about: str) -> list[str]:
    return [".TP", f".B {_roff(term)}", _roff(" ".join(about.split()))]


def _first(text: str) -> str:
    return " ".join(text.strip().partition("\n\n")[0].split())


def _roff(text: str) -> str:
    """Return a text on one line without characters that mean something to troff."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace('"', r"\(dq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else HOME).write_text(page(), encoding="utf-8")
