"""nnspec verify: check that checkpoints are intact."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count
from nnspec.cli.options import json_flag
from nnspec.cli.output import FOUND, print_json, print_note, print_result


@click.command(
    cls=Verb,
    section=Section.CHECKPOINTS,
    short_help="Check that checkpoints are intact.",
    examples=("nnspec verify runs/quickstart/last.h5", "nnspec verify runs/*", "nnspec verify --untrusted found.h5"),
)
@click.argument("checkpoints", metavar="CHECKPOINT...", nargs=-1, required=True)
@click.option("--untrusted", is_flag=True, help="Read each file in a separate process with limits on memory and time.")
@json_flag
def command(checkpoints: tuple[str, ...], untrusted: bool, as_json: bool) -> None:
    """Check that checkpoints are intact: every byte as written, and every array that the spec needs.

    A folder means all checkpoints in it. The exit code is 1 if one is damaged, 2 if one is missing. Use --untrusted for
    a file from someone else.
    """
    from nnspec.cli.verification import verify_checkpoint, verify_in_sandbox

    code, damaged, advice = 0, 0, []
    verdicts = []
    for path, may_vanish in _files(checkpoints):
        verdict, help, found = verify_in_sandbox(path) if untrusted else verify_checkpoint(path)
        if found and may_vanish and not os.path.lexists(path):
            print_note(f"{path}: removed while the run was verified")
            continue
        verdicts.append({"checkpoint": str(path), "ok": not found, "verdict": verdict, "help": help or None})
        if not as_json:
            print_result(f"{path}: {verdict}")
        code = max(code, found)
        damaged += found == FOUND
        advice += [f"{path}: {help}"] if help else []
    if as_json:
        print_json(checkpoints=verdicts)
        raise click.exceptions.Exit(code)
    for line in advice:
        print_note(line)
    if damaged:
        print_note(f"{format_count(damaged, 'checkpoint')} cannot be used")
    raise click.exceptions.Exit(code)


def _files(checkpoints: tuple[str, ...]) -> Iterator[tuple[Path, bool]]:
    """Yield the files named, and the checkpoints in the folders named.

    Each with whether it may vanish: a run that trains with keep= removes its older step files.
    """
    from nnspec.runtime.train.run_folder import checkpoints_in, is_step_file

    for path in map(Path, checkpoints):
        if os.path.isdir(path):
            yield from ((file, is_step_file(file)) for file in checkpoints_in(path))
        else:
            yield path, False
