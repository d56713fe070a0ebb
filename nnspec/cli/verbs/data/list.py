"""nnspec data list: list the data sets."""

from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Verb
from nnspec.cli.format import format_shape, format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result

if TYPE_CHECKING:
    from nnspec.runtime.data.datasets import Dataset


@click.command(cls=Verb, examples=("nnspec data list",))
@json_flag
def command(as_json: bool) -> None:
    """List the data sets known by name, and where they are."""
    from nnspec.runtime.data.datasets import datasets

    if as_json:
        print_json(datasets=[_listed(found) for found in datasets()])
        return
    rows = [("name", "train", "test", "shape", "where", "about")]
    for found in datasets():
        where = found.find()
        place = str(where) if where is not None else f"not here; run nnspec data fetch {found.name}"
        sizes = f"{found.train:,}", f"{found.test:,}", format_shape(found.shape)
        rows.append((found.name, *sizes, place, found.about))
    print_result(format_table(rows, right=(1, 2), indent=""))


def _listed(dataset: "Dataset") -> dict[str, Any]:
    """Return a data set as JSON; its path is None if it is not on this machine."""
    where = dataset.find()
    return {
        "name": dataset.name,
        "about": dataset.about,
        "train": dataset.train,
        "test": dataset.test,
        "shape": list(dataset.shape),
        "path": str(where) if where is not None else None,
    }
