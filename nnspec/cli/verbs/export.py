"""nnspec export: write a network for another program."""

import pkgutil
import shlex
from pathlib import Path
from typing import Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.completion import complete_data
from nnspec.cli.options import json_flag
from nnspec.cli.output import UnwritableError, print_json, print_note, print_result, translate_write_errors
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
        "nnspec export runs/mnist_cnn --to torch",
        "nnspec export runs/sine_rnn --to onnx --state",
        "nnspec export runs/passengers --to onnx --columns",
        "nnspec export model.json --to spec",
        "nnspec export model.txt --to spec --input '50x3 sequence'",
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
@click.option(
    "--input",
    "shape",
    metavar="SHAPE",
    help="spec: the shape of a sample, such as 28x28x1, where a model does not say it.",
)
@json_flag
def command(
    checkpoint: str, to: str, out: Path | None, data: str | None, shape: str | None, as_json: bool, **options: Any
) -> None:
    """Write a network for another program.

    CHECKPOINT is a file or a run's folder, which means its last.h5. The files take raw samples, as the data have them:
    normalization, and the units of the targets, are inside. Before anything is written, the files are run on samples of
    the network's data and compared with its own answers; what the other program cannot express is refused by name.

    --to spec also takes a model of Keras, what model.to_json() returns or a .keras file, or what print shows of an
    nn.Sequential of PyTorch, in a .txt file, and writes the page that it would be.
    """
    from nnspec.cli.checkpoint import open_to_ask
    from nnspec.exchange.export import export
    from nnspec.exchange.models.reading import is_model
    from nnspec.exchange.trial import trial_of

    given = {name: value for name, value in options.items() if value not in (None, False)}
    model = to == "spec" and is_model(Path(checkpoint))
    if shape is not None and not model:
        raise click.UsageError("--input is of --to spec, of a model that does not say the shape of a sample")
    if model and (data is not None or given):
        raise click.UsageError("a model becomes a page without samples: leave --data and other options out")
    if model:
        _write_page(Path(checkpoint), out, shape or "", as_json)
        return
    _, saved = open_to_ask(checkpoint)
    trial = trial_of(saved.network, data)
    made = export(saved.network, to, out, trial.samples, given, trial.training, trial.judged)
    if as_json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in made.paths]
        print_json(files=files, tried_on=trial.origin, notes=list(made.notes))
    else:
        for note in made.notes:
            print_note(note)
        print_result("\n".join(f"{path}  {path.stat().st_size:,} bytes" for path in made.paths))


def _write_page(model: Path, out: Path | None, shape: str, as_json: bool) -> None:
    """Write the page that a model of another framework would be; an existing file is never overwritten."""
    from nnspec.exchange.models.reading import page_of

    page = page_of(model, shape)
    path = out or Path(f"{model.name.partition('.')[0]}.nnspec")
    path = path / f"{page.spec.name}.nnspec" if path.is_dir() else path
    with translate_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(page.text)
        except FileExistsError:
            raise UnwritableError(f"{path} exists already: name another file with --out") from None
    if as_json:
        print_json(files=[{"path": str(path), "bytes": path.stat().st_size}], tried_on=None, notes=list(page.notes))
        return
    for note in page.notes:
        print_note(note)
    print_result(f"wrote {path}; to take the weights: nnspec import WEIGHTS --into {shlex.quote(str(path))}")
