"""nnspec data fetch: download a data set."""

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result


@click.command(cls=Verb, examples=("nnspec data fetch mnist",))
@click.argument("name")
@json_flag
def command(name: str, as_json: bool) -> None:
    """Download a data set if it is not on this machine, and print its path."""
    from nnspec.runtime.data import fetch

    path = str(fetch(name))
    if as_json:
        print_json(name=name, path=path)
    else:
        print_result(path)
