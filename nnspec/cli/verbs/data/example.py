"""nnspec data example: write a small data set to begin with."""

import shlex
from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.format import format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result


@click.command(
    cls=Verb, examples=("nnspec data example", "nnspec data example iris", "nnspec data example hourly data")
)
@click.argument("name", required=False)
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@json_flag
def command(name: str | None, folder: Path, as_json: bool) -> None:
    """Write a small data set into FOLDER, or list them.

    There is one for each kind of data: tables with classes, numbers or several labels, an hourly series, a folder of
    pictures. Most come from scikit-learn (pip install 'nnspec[sklearn]'). A shipped spec of the same name trains on it:
    nnspec init iris.
    """
    from nnspec.runtime.data.examples import EXAMPLES, write_example

    if name is None:
        listed = [{"name": found.name, "file": found.file, "about": found.about} for found in EXAMPLES.values()]
        if as_json:
            print_json(examples=listed)
        else:
            print_result(format_table([tuple(found.values()) for found in listed], indent=""))
        return
    path = write_example(name, folder)
    if as_json:
        print_json(name=name, path=str(path))
    else:
        print_result(f"wrote {shlex.quote(str(path))}")
