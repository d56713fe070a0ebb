"""What a shell completes: paths, and the variants, settings and data that fit the spec on the command line."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from nnspec.spec_lang.editor.document import Document

PATHS = {"FILE", "CHECKPOINT", "RUN", "INPUT", "IMAGE", "SPEC", "SWEEP", "WEIGHTS", "PATH", "A", "B"}
"""Words of a metavar that mean a file or a folder."""

FOLDERS = {"DIR", "FOLDER"}


class PathText(click.types.StringParamType):
    """A text that a shell completes as a path; unlike click.Path it can also be the text of a network."""

    def __init__(self, completed_as: str):
        self.completed_as = completed_as

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Let the shell complete files or folders."""
        return [CompletionItem(incomplete, type=self.completed_as)]


def complete_paths(parameters: Iterable[click.Parameter]) -> None:
    """Give each parameter whose metavar says that it is a path the completion of one."""
    for parameter in parameters:
        words = set(re.findall(r"[A-Z]+", parameter.metavar or ""))
        if parameter.type is click.STRING and words & (PATHS | FOLDERS):
            parameter.type = PathText("dir" if words & FOLDERS else "file")


def complete_variant(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the variants of the spec on the command line."""
    document = _document(ctx)
    return _beginning(incomplete, document.known.variants if document is not None else ())


def complete_setting(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the keys that can be set, or the values of a key: those that an editor completes in a sweep."""
    from nnspec.spec_lang.editor.complete import complete
    from nnspec.spec_lang.editor.document import Document
    from nnspec.spec_lang.source import Source

    document = _document(ctx)
    source = document.source if document is not None else Source("", "")
    key, equals, _ = incomplete.partition("=")
    text = f"{source.text}\nsweep {f'{key} = ' if equals else ''}"
    items = complete(Document(Source(source.name, text, source.folder)), len(text)).items
    if not equals:
        return _beginning(incomplete, (f"{item.text}=" for item in items))
    return _beginning(incomplete, (f"{key}={item.text}" for item in items if item.kind == "value"))


def complete_data(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the data that need no file of the user's."""
    from nnspec.spec_lang.vocabulary.fields import fields_of
    from nnspec.spec_lang.vocabulary.registry import words

    alone = [name for name, cls in words("data").items() if not any(f.required for f in fields_of(cls).values())]
    return _beginning(incomplete, alone)


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _document(ctx: click.Context) -> "Document | None":
    """Return the spec among the arguments so far, None where there is none that can be read."""
    from nnspec.spec_lang.editor.document import Document
    from nnspec.spec_lang.report.errors import SourceError
    from nnspec.spec_lang.syntax.files import open_source

    given: list[Any] = [ctx.params.get(p.name or "") for p in ctx.command.params if isinstance(p, click.Argument)]
    given = [*(value[0] if isinstance(value, tuple) and value else value for value in given), *ctx.args]
    for text in given:  # an option without its value yet leaves the arguments in ctx.args
        if isinstance(text, str) and not text.startswith("-"):
            with suppress(SourceError):
                return Document(open_source(text))
    return None
