"""The page of the command, made from the command itself."""

from collections.abc import Iterator, Sequence

import click

from nnspec.cli import command_line
from nnspec.cli.command import Section
from tools.verbs import CODES, ENVIRONMENT, options, paragraphs, usage, verbs


def command() -> str:
    """Return the page in Markdown: every verb with its options and examples, by the sections of `nnspec --help`."""
    parts = [
        "# The command",
        "`nnspec VERB --help` prints one of these sections, `man nnspec` all of them. FILE may be the text of a "
        "network itself:\nit holds `->` or a space. Results go to standard output, as JSON with `--json`; "
        "everything else goes to standard error.",
        _table("exit code", "", CODES),
        _table("variable", "", ENVIRONMENT),
    ]
    found = list(verbs(command_line, "nnspec"))
    for section in Section:
        parts.append(f"## {section.value}")
        for name, verb in found:
            if _section(name) is section:
                parts += _verb(name, verb)
    return "\n\n".join(parts) + "\n"


def _section(name: str) -> Section | None:
    """Return the section of a verb's family, `plot` of `nnspec plot curves`."""
    family = command_line.get_command(click.Context(command_line), name.split()[1])
    found: Section | None = getattr(family, "section", None)
    return found


def _verb(name: str, verb: click.Command) -> Iterator[str]:
    yield f"### {name}"
    yield f"```text\n{usage(name, verb)}\n```"
    yield from map(_markdown, paragraphs(verb))
    yield "\n".join(f"- `{written}`: {_markdown(about)}" for written, about in options(verb))
    examples = getattr(verb, "examples", ())
    if examples:
        yield (
            "<!-- run by: tests/docs/test_examples.py -->\n```console\n"
            + "".join(f"$ {example}\n" for example in examples)
            + "```"
        )


def _markdown(text: str) -> str:
    """Return a text of the help with the characters escaped that mean something in Markdown."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("<", "\\<").replace("  [default:", " [default:")


def _table(first: str, second: str, rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join([f"| {first} | {second} |", "|---|---|", *(f"| `{term}` | {about} |" for term, about in rows)])
