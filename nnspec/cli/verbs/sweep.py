"""nnspec sweep: train every variant of a spec, at every place of its grid, with every seed; or search."""

import os

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import json_flag, quiet_flag, spec_options
from nnspec.cli.output import FOUND, print_json

MOST_SEEDS = 1000


def _seeds(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Return the seeds of 1,2,3 or 1..5."""
    seeds: list[int] = []
    for part in (text or "").split(",") if text else ():
        first, dots, last = (piece.strip() for piece in part.partition(".."))
        if not first.isdecimal() or (dots and not last.isdecimal()) or len(first + last) > 18:
            raise click.BadParameter(f"{part.strip()!r} is not a seed: write 1,2,3 or 1..3", ctx, parameter)
        seeds += range(int(first), int(last if dots else first) + 1)
        if len(seeds) > MOST_SEEDS:
            raise click.BadParameter(f"at most {MOST_SEEDS:,} seeds", ctx, parameter)
    return tuple(dict.fromkeys(seeds))


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    keeps_results=True,
    examples=(
        "nnspec sweep specs/notes.nnspec --seeds 1,2,3 --jobs 2",
        "nnspec sweep net.nnspec --set train.epochs=3 --out sweeps/short",
        "nnspec sweep sweeps/notes",
        "nnspec sweep net.nnspec --trials 30 --method tpe",
        "nnspec sweep net.nnspec --backend dask --scheduler tcp://10.0.0.1:8786",
    ),
)
@click.argument("file_or_sweep", metavar="FILE_OR_SWEEP")
@spec_options
@click.option("--out", metavar="DIR", help="The sweep's folder.  [default: sweeps/NAME]")
@click.option(
    "--seeds", callback=_seeds, metavar="N,N,…", help="Train each place with each of these seeds: 1,2,3 or 1..3."
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="How many trials train at once, a core each.  [default: one a core, as memory allows]",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="Rank by this metric.  [default: that of early_stop, else the spec's first, on the validation split]",
)
@click.option("--trials", type=click.IntRange(1, 1_000_000), metavar="N", help="Search with so many trials.")
@click.option(
    "--method",
    type=click.Choice(("random", "tpe", "halving")),
    help="How a search chooses: at random; from what is known; at random, most ended early.  [default: tpe]",
)
@click.option("--prune/--no-prune", default=True, help="Whether a search ends hopeless trials.  [default: prune]")
@click.option(
    "--backend",
    type=click.Choice(("local", "dask", "ray")),
    default="local",
    help="Where trials train.  [default: local]",
)
@click.option("--scheduler", metavar="ADDRESS", help="The address of the cluster's scheduler.")
@click.option("--shared", metavar="DIR", help="A folder that all workers see: a trial that lost its worker resumes.")
@json_flag
@quiet_flag
def command(
    file_or_sweep: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    out: str | None,
    seeds: tuple[int, ...],
    jobs: int | None,
    metric: str | None,
    trials: int | None,
    method: str | None,
    prune: bool,
    backend: str,
    scheduler: str | None,
    shared: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train every variant of a spec, at every place of its sweep lines, with every seed.

    Each trial is a run of its own in the sweep's folder, trials/NAME, named by its settings. Called again, finished
    trials are kept, begun ones resume to the same bits, and new ones are trained; SWEEP, the folder alone, goes on too.
    A trial that fails or diverges is reported, and the others go on; the exit code is then 1. Ctrl-C saves all.

    The ranking has the mean and the deviation over the seeds, best first. sweep.csv and sweep.json have every trial,
    pictures/curves.png its curves.

    With --trials the sweep lines are searched instead, ranges such as log 1e-4..1e-1 too.
    """
    from nnspec import api
    from nnspec.cli.sweep_progress import print_sweep, sweep_listener
    from nnspec.runtime.sweep.conductor import SweepInterrupted

    on_folder = os.path.isdir(file_or_sweep)
    if on_folder and (settings or variant or data or out):
        raise click.UsageError(f"{file_or_sweep} is a sweep, which has its spec and settings: leave these options out")
    if method is not None and trials is None and not on_folder:
        raise click.UsageError("--method is of a search: add --trials N")
    with sweep_listener(quiet) as listen:
        try:
            result = api.sweep(
                file_or_sweep,
                out,
                settings,
                variant,
                data,
                seeds=seeds,
                jobs=jobs,
                metric=metric,
                trials=trials,
                method=method,
                prune=prune,
                backend=backend,
                scheduler=scheduler,
                shared=shared,
                listen=listen,
            )
        except SweepInterrupted as interrupted:
            listen({"event": "swept"})
            if as_json:
                print_json(**interrupted.sweep.as_json())
            else:
                print_sweep(interrupted.sweep)
            raise
    if as_json:
        print_json(**result.as_json())
    else:
        print_sweep(result)
    raise click.exceptions.Exit(FOUND if result.failed else 0)
