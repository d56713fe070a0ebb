"""What the command says of itself, for the manual page and for the page of the documentation."""

import re
from collections.abc import Iterator

import click

from nnspec.cli.command import Family

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


def verbs(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every verb of a command with the words that call it."""
    if not isinstance(command, Family):
        yield name, command
        return
    context = click.Context(command, info_name=name)
    for word in command.list_commands(context):
        verb = command.get_command(context, word)
        if verb is not None:
            yield from verbs(verb, f"{name} {word}")


def usage(name: str, verb: click.Command) -> str:
    """Return how a verb is called, without its options: "nnspec check FILE..."."""
    arguments = [p for p in verb.params if isinstance(p, click.Argument)]
    named = " ".join(argument.metavar or (argument.name or "").upper() for argument in arguments)
    return f"{name} {named}".rstrip()


def paragraphs(verb: click.Command) -> list[str]:
    """Return the help of a verb by paragraphs, each on one line."""
    return [" ".join(part.replace("\b", "").split()) for part in re.split(r"\n\s*\n", (verb.help or "").strip())]


def options(verb: click.Command) -> Iterator[tuple[str, str]]:
    """Yield each option as it is written, and its help on one line."""
    for option in verb.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield _written(option), " ".join((option.help or "").split())


def _written(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    choices = "|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else ""
    return f"{names} {option.metavar or choices or option.type.name.upper()}"
