"""nnspec eval: measure the loss and metrics of a network."""

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count, format_metric, format_table
from nnspec.cli.options import data_options, json_flag
from nnspec.cli.output import print_json, print_result


@click.command(
    cls=Verb,
    section=Section.ANSWERS,
    examples=(
        "nnspec eval runs/quickstart",
        "nnspec eval runs/quickstart/best.h5 --split validation --json",
        "nnspec eval runs/iris --data 'csv \"new.csv\" target=species' --split all",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@data_options
@json_flag
def command(checkpoint: str, data: str | None, split: str | None, as_json: bool) -> None:
    """Measure the loss and the metrics on a split of the data.

    CHECKPOINT is a file or a run's folder, which means its last.h5. Other data are preprocessed as the training data
    were; their columns and classes are found by name. --split all takes every sample.
    """
    from nnspec.cli.checkpoint import chosen_split, open_checkpoint
    from nnspec.runtime.infer.evaluation import evaluate

    file, saved = open_checkpoint(checkpoint)
    name, found, chosen = chosen_split(saved.network, data, split)
    measured = evaluate(saved.network, chosen)
    if as_json:
        print_json(checkpoint=str(file), data=found.name, split=name, samples=len(chosen), **measured)
        return
    print_result(f"{file} on {found.name}, {name}, {format_count(len(chosen), 'sample')}")
    print_result(format_table([(key, format_metric(key, value)) for key, value in measured.items()], right=(1,)))
