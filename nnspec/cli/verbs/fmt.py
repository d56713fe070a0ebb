"""nnspec fmt: format specs in the canonical form."""

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count
from nnspec.cli.options import json_flag
from nnspec.cli.output import (
    FOUND,
    print_error,
    print_json,
    print_note,
    print_result,
    print_text,
    translate_write_errors,
)
from nnspec.cli.specs import spec_named

if TYPE_CHECKING:
    from nnspec.spec_lang.source import Source


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec fmt specs/*.nnspec",
        "nnspec fmt --check --diff net.nnspec",
        "nnspec fmt - < net.nnspec",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--check", "checking", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@json_flag
def command(files: tuple[str, ...], checking: bool, diff: bool, as_json: bool) -> None:
    """Format specs in the canonical form.

    Comments, paragraphs and the meaning stay the same. A file is replaced atomically. A file that is not a valid spec
    is reported, with exit code 1, and not changed. FILE - is standard input, and FILE may be the text of a network;
    both are written to standard output.

    With --json each spec has its formatted text, whether it differs, and whether its file was replaced.
    """
    from nnspec.spec_lang.report.errors import SourceError, SpecError
    from nnspec.spec_lang.syntax.formatter import format_source
    from nnspec.spec_lang.vocabulary.summary import known_words

    code = changed = 0
    specs, diagnostics = [], []
    for file in files:
        try:
            source = spec_named(file)
            formatted = format_source(source, known_words())
        except (SpecError, SourceError) as error:
            diagnostics += [found.as_json() for found in getattr(error, "diagnostics", ())]
            code = max(code, print_error(error))
            continue
        differs = _bytes(source) != formatted.encode()
        changed += differs
        changes = list(_difference(source, formatted)) if diff and differs else []
        replaced = differs and source.folder is not None and not (checking or diff)
        specs.append({"file": source.name, "differs": differs, "replaced": replaced, "text": formatted})
        if as_json and diff:
            specs[-1]["diff"] = changes
        elif diff:
            for line in changes:
                print_result(line)
        if checking or diff:
            if differs and checking:
                code = max(code, FOUND)
                print_note(f"{source.name} would change")
        elif replaced:
            _replace(Path(source.name), formatted)
            if not as_json:
                print_result(f"{source.name}: formatted")
        elif source.folder is None and not as_json:
            print_text(formatted)
    if checking and changed and len(files) > 1:
        print_note(f"{format_count(changed, 'file')} of {len(files)} would change")
    if as_json:
        print_json(specs=specs, diagnostics=diagnostics)
    raise click.exceptions.Exit(code)


def _bytes(source: "Source") -> bytes:
    content = source.content
    return content if isinstance(content, bytes) else content.encode()


def _difference(source: "Source", formatted: str) -> Iterator[str]:
    """Yield the changed lines as a unified diff, or what changes if no line does."""
    before, after = source.text.splitlines(), formatted.splitlines()
    rows = list(unified_diff(before, after, source.name, source.name, lineterm=""))
    if not rows:
        rows = [f"{source.name}: the byte order mark or the line endings"]
    yield from rows


def _replace(path: Path, text: str) -> None:
    """Replace a file, whole or not at all; for a link, the file that it points to."""
    from nnspec.checkpoints import replace_file

    with translate_write_errors(path):
        replace_file(path.resolve(), text.encode())
