"""nnspec data list: list the data sets."""

import click

from nnspec.cli.command import Verb
from nnspec.cli.format import format_shape, format_table
from nnspec.cli.output import print_result


@click.command(cls=Verb, examples=("nnspec data list",))
def command() -> None:
    """List the data sets known by name, and where they are."""
    from nnspec.runtime.data import datasets

    rows = [("name", "train", "test", "shape", "where", "about")]
    for found in datasets():
        where = found.find()
        place = str(where) if where is not None else f"not here; run nnspec data fetch {found.name}"
        sizes = f"{found.train:,}", f"{found.test:,}", format_shape(found.shape)
        rows.append((found.name, *sizes, place, found.about))
    print_result(format_table(rows, right=(1, 2), indent=""))
