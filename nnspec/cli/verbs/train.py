"""nnspec train: train the network of a spec."""

from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import json_flag, quiet_flag, spec_options, tensorboard_flag, workers_option

if TYPE_CHECKING:
    from nnspec.runtime.execute.processors import Workers


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    keeps_results=True,
    examples=(
        "nnspec train specs/quickstart.nnspec",
        "nnspec train specs/notes.nnspec --variant paper_sgd --seed 3 --out runs/paper",
        "nnspec train net.nnspec --folds 5",
        "nnspec train net.nnspec --tensorboard",
        "nnspec train net.nnspec --set optimizer.lr=0.01 --set train.epochs=3",
        "nnspec train 'conv 3x3 x8 -> maxpool 2 -> dense 10 softmax' --data mnist_sample",
        "nnspec train 'dense 16 relu -> dense 3 softmax' --data 'csv \"iris.csv\" target=species'",
    ),
)
@click.argument("file", metavar="FILE")
@spec_options
@click.option("--out", metavar="DIR", help="The run's folder.  [default: runs/NAME, or runs/NAME-2 and so on]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="The seed, instead of the spec's.")
@click.option("--init-from", metavar="CHECKPOINT", help="Start with the weights of this checkpoint or run.")
@click.option(
    "--folds", type=click.IntRange(2, 1000), metavar="K", help="Train K runs, each with another fold as validation."
)
@workers_option
@tensorboard_flag
@json_flag
@quiet_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    out: str | None,
    seed: int | None,
    init_from: str | None,
    folds: int | None,
    workers: "Workers",
    tensorboard: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train a network.

    FILE is a spec, or the text of a network. The run's folder has the spec, the checkpoints last.h5 and best.h5, and
    metrics.jsonl, and the evaluations as a table in metrics.csv. Ctrl-C saves a checkpoint and stops; nnspec resume
    continues from it.

    With --json each evaluation is a line of standard output; the last line, the event end, has the results. It is
    the event diverged where NaN or infinity ended the run, and interrupted after a signal.

    With --folds, or folds= in the data statement, the run's folder has a run for each fold, and the results are the
    mean and the deviation over the folds. The same call with --out goes on with folds that were stopped.

    A run that misses what its spec expects, as in expect accuracy >= 95 %, is kept, and the exit code is 1.
    """
    from nnspec import api
    from nnspec.cli.progress import progress_listener
    from nnspec.cli.summary import print_folds, print_summary, report_expectations

    folds = folds or api.folds_asked_for(file, settings, variant, data)
    if folds is not None:
        if init_from is not None:
            raise click.UsageError("--init-from and folds exclude each other: weights may have seen the other folds")
        with progress_listener(as_json, quiet, tensorboard) as listen:
            result = api.cross_validate(file, folds, out, settings, variant, data, seed, listen=listen, workers=workers)
        if not as_json:
            print_folds(result)
        report_expectations(result.expectations, as_json)
        return
    with progress_listener(as_json, quiet, tensorboard) as listen:
        run = api.train(file, out, settings, variant, data, None, seed, init_from, listen=listen, workers=workers)
    if not as_json:
        print_summary(run, quiet)
    report_expectations(run.expectations, as_json)
