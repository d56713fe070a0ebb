"""nnspec data fetch: download a data set."""

import click

from nnspec.cli.command import Verb
from nnspec.cli.output import print_result


@click.command(cls=Verb, examples=("nnspec data fetch mnist",))
@click.argument("name")
def command(name: str) -> None:
    """Download a data set if it is not on this machine, and print its path."""
    from nnspec.runtime.data import fetch

    print_result(str(fetch(name)))
