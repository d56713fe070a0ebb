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

    The last column is the baseline, learnt from the training split: the majority class, the mean, or of a series the
    last value.

    Expectations of the spec, as in expect accuracy >= 95 %, are compared with what is measured on the test or the
    validation split, or on other data; the exit code is 1 where one is missed.
    """
    from nnspec.cli.checkpoint import chosen_split, known_baseline, open_to_ask
    from nnspec.cli.summary import report_expectations
    from nnspec.runtime.infer.evaluation import evaluate
    from nnspec.runtime.train.expectations import outcomes

    file, saved = open_to_ask(checkpoint)
    name, found, chosen = chosen_split(saved.network, data, split)
    measured = evaluate(saved.network, chosen)
    baseline = known_baseline(saved, found if data is None else None)
    # other data are as good as a test split, whichever part of them is measured
    held_out = {"train": "training"}.get(name, name) if data is None or name == "validation" else "test"
    expected = outcomes(saved.network.spec.expectations, {f"{held_out}_{key}": by for key, by in measured.items()})
    beside = baseline.measure(chosen) if baseline is not None else {}
    if as_json:
        named = {"name": baseline.name, **beside} if baseline is not None else None
        said = {"expectations": [outcome.as_json() for outcome in expected]} if expected else {}
        asked = {"checkpoint": str(file), "data": found.name, "split": name, "samples": len(chosen)}
        print_json(**asked, **measured, baseline=named, **said)
        report_expectations(expected, as_json)
        return
    print_result(f"{file} on {found.name}, {name}, {format_count(len(chosen), 'sample')}")
    rows = [tuple(format_metric(key, by[key]) for by in (measured, beside) if by) for key in measured]
    table = [(key, *row) for key, row in zip(measured, rows, strict=True)]
    if baseline is not None:
        table.insert(0, ("", "network", baseline.name))
    print_result(format_table(table, right=(1, 2)))
    report_expectations(expected)
