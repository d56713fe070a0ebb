"""nnspec studio: write, train and look into networks in the browser."""

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.output import print_note

PORT = 8130


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    keeps_results=True,
    examples=(
        "nnspec studio",
        "nnspec studio specs/quickstart.nnspec",
        "nnspec studio lessons --port 0 --no-browser",
    ),
)
@click.argument("file", required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The port; 0 takes a free one."
)
@click.option("--no-browser", "silent", is_flag=True, help="Print the link and open no browser.")
def command(file: str | None, port: int, silent: bool) -> None:
    """Write, train and look into networks in the browser.

    FILE is a spec or a folder; the studio works in that folder, or in the current one. The page shows errors and
    shapes as one types, trains, stops and resumes, and asks the network what it thinks of a drawing or a sample.
    docs/studio.md shows it. Runs are those of nnspec train, in runs/; Ctrl-C saves the run that trains.

    Only this machine reaches it, with the link that is printed. It needs Starlette and uvicorn:
    pip install 'nnspec[studio]'.
    """
    from nnspec.exchange.errors import package

    for name in ("starlette", "uvicorn", "h11"):
        package(name, "studio", "the studio")
    from nnspec.studio.server import run_studio

    run_studio(file, port, not silent, print_note)
