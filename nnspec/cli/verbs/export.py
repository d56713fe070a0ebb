"""nnspec export: write a network for another program."""

import pkgutil
from pathlib import Path
from typing import Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.completion import complete_data
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_note, print_result
from nnspec.exchange import ways

WAYS = tuple(sorted(module.name for module in pkgutil.iter_modules(ways.__path__)))


@click.command(
    cls=Verb,
    section=Section.EXCHANGE,
    keeps_results=True,
    examples=(
        "nnspec export runs/quickstart --to onnx",
        "nnspec export runs/iris/best.h5 --to numpy --out iris",
        "nnspec export runs/quickstart --to c --int8 --out digits",
        "nnspec export runs/sine_rnn --to onnx --state",
        "nnspec export runs/passengers --to onnx --columns",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.option("--to", required=True, type=click.Choice(WAYS), help="What the files are for.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where to write, with or without a suffix.  [default: the name of the spec, in the current folder]",
)
@click.option(
    "--data",
    metavar="D",
    shell_complete=complete_data,
    help="Try the files on samples of other data: a file, or a data statement in quotes.",
)
@click.option(
    "--batch", type=click.IntRange(1, 256), metavar="N", help="numpy: samples that are computed at once.  [default: 32]"
)
@click.option(
    "--state",
    is_flag=True,
    help="onnx: let sequences come in parts: states of recurrent layers are inputs and outputs too.",
)
@click.option(
    "--columns",
    is_flag=True,
    help="onnx: let each column of a table be an input: numbers, dates, text.",
)
@click.option(
    "--int8",
    is_flag=True,
    help="c: weights and values in int8, calibrated on the training data; says what it costs.",
)
@json_flag
def command(checkpoint: str, to: str, out: Path | None, data: str | None, as_json: bool, **options: Any) -> None:
    """Write a network for another program.

    CHECKPOINT is a file or a run's folder, which means its last.h5. The files take raw samples, as the data have them:
    normalization, and the units of the targets, are inside. Before anything is written, the files are run on samples of
    the network's data and compared with its own answers; what the other program cannot express is refused by name.
    """
    from nnspec.cli.checkpoint import open_to_ask
    from nnspec.exchange.export import export
    from nnspec.exchange.trial import trial_of

    _, saved = open_to_ask(checkpoint)
    trial = trial_of(saved.network, data)
    given = {name: value for name, value in options.items() if value not in (None, False)}
    made = export(saved.network, to, out, trial.samples, given, trial.training, trial.judged)
    if as_json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in made.paths]
        print_json(files=files, tried_on=trial.origin, notes=list(made.notes))
    else:
        for note in made.notes:
            print_note(note)
        print_result("\n".join(f"{path}  {path.stat().st_size:,} bytes" for path in made.paths))
