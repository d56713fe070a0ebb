"""nnspec eval: how good a network is."""

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._options import json_flag, samples
from nnspec.cli._say import result, result_json
from nnspec.cli._words import counted, metric_in_words, table


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
@samples
@json_flag
def command(checkpoint: str, data: str | None, split: str | None, as_json: bool) -> None:
    """Measure the loss and the metrics on a split of the data.

    CHECKPOINT is a file or a run's folder, which stands for the last.h5 in it. Other data are prepared as those that
    the network was trained on, their columns and classes found by name; --split all takes every sample of them.
    """
    from nnspec.cli._checkpoint import chosen_split, opened
    from nnspec.runtime.infer.evaluation import evaluate

    file, saved = opened(checkpoint)
    name, found, chosen = chosen_split(saved.network, data, split)
    measured = evaluate(saved.network, chosen)
    if as_json:
        result_json(checkpoint=str(file), data=found.name, split=name, samples=len(chosen), **measured)
        return
    result(f"{file} on {found.name}, {name}, {counted(len(chosen), 'sample')}")
    result(table([(key, metric_in_words(key, value)) for key, value in measured.items()], right=(1,)))
