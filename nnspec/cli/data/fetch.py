"""nnspec data fetch: a data set onto this machine."""

import click

from nnspec.cli._command import Verb
from nnspec.cli._output import print_result


@click.command(cls=Verb, examples=("nnspec data fetch mnist",))
@click.argument("name")
def command(name: str) -> None:
    """Bring a data set onto this machine, unless it is here, and print where it is."""
    from nnspec.runtime.data import fetch

    print_result(str(fetch(name)))
