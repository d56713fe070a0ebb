"""nnspec resume: a stopped run goes on."""

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._options import json_flag, quiet_flag


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    examples=("nnspec resume runs/quickstart", "nnspec resume runs/quickstart/last.h5 --allow-inexact"),
)
@click.argument("run_or_checkpoint", metavar="RUN_OR_CHECKPOINT")
@click.option("--allow-inexact", is_flag=True, help="Go on where this machine's arithmetic differs in its last bits.")
@click.option("--verify", is_flag=True, help="Make the last interval's steps once more first, and compare every bit.")
@json_flag
@quiet_flag
def command(run_or_checkpoint: str, allow_inexact: bool, verify: bool, as_json: bool, quiet: bool) -> None:
    """Go on with a run, as if it had never stopped.

    A run's folder stands for the last.h5 in it. The result is the very bits that the run would have had without the
    stop; where another machine or library cannot promise that, it is refused unless --allow-inexact is given. --verify
    puts this machine to the test: from the checkpoint before it, FILE.prev, to this one.
    """
    from nnspec import api
    from nnspec.cli._progress import progress_listener
    from nnspec.cli._summary import print_summary

    with progress_listener(as_json, quiet) as listen:
        run = api.resume(run_or_checkpoint, allow_inexact, listen, verify)
    if not as_json:
        print_summary(run, quiet)
