"""nnspec resume: continue a stopped run."""

from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import json_flag, quiet_flag, tensorboard_flag, workers_option

if TYPE_CHECKING:
    from nnspec.runtime.execute.processors import Workers


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    keeps_results=True,
    examples=(
        "nnspec resume runs/quickstart",
        "nnspec resume runs/quickstart/last.h5 --allow-inexact",
        "nnspec resume runs/iris --data 'csv \"moved/iris.csv\" target=species'",
    ),
)
@click.argument("run_or_checkpoint", metavar="RUN_OR_CHECKPOINT")
@click.option("--allow-inexact", is_flag=True, help="Resume even if the last bits may differ on this machine.")
@click.option("--verify", is_flag=True, help="First repeat the steps of the last interval, and compare every bit.")
@click.option(
    "--data", metavar="D", help="The data statement, in quotes, that names the run's data where they are now."
)
@workers_option
@tensorboard_flag
@json_flag
@quiet_flag
def command(
    run_or_checkpoint: str,
    allow_inexact: bool,
    verify: bool,
    data: str | None,
    workers: "Workers",
    tensorboard: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Continue a stopped run as if it had never stopped.

    A run's folder means its last.h5. The result is bit for bit that of a run without the stop. If another machine or
    library cannot guarantee that, resume refuses, unless --allow-inexact is given. --verify tests this machine: it
    repeats the steps from the previous checkpoint, FILE.prev, to this one.
    """
    from nnspec import api
    from nnspec.cli.progress import progress_listener
    from nnspec.cli.summary import print_summary, report_expectations

    with progress_listener(as_json, quiet, tensorboard) as listen:
        run = api.resume(run_or_checkpoint, allow_inexact, listen, verify, data, workers=workers)
    if not as_json:
        print_summary(run, quiet)
    report_expectations(run.expectations, as_json)
