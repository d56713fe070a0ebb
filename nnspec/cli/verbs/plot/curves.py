"""nnspec plot curves: draw loss and metrics."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.output import print_json
from nnspec.cli.pictures import picture_arguments, save_picture

if TYPE_CHECKING:
    from nnspec.runtime.train.state import MetricHistory
    from nnspec.spec_lang.check.spec import Spec


@click.command(
    cls=Verb,
    examples=("nnspec plot curves runs/quickstart", "nnspec plot curves runs/paper_sgd runs/paper_adam --out both.svg"),
)
@picture_arguments
def command(checkpoints: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Draw loss and metrics over the training steps, and the baseline of the validation split as a thin line.

    Training lines are thinner than validation lines. They are the mean loss of the steps or, where the spec has
    `metrics … training=yes`, what was measured on the training split.

    Several runs share one picture, which is written to the folder of the first run unless --out is given.
    """
    from nnspec.cli.checkpoint import open_run, pictures_folder
    from nnspec.runtime.views import PICTURES

    files, histories, baselines = [], {}, {}
    for checkpoint in checkpoints:
        file, saved = open_run(checkpoint)
        files.append(file)
        name = _run_name(file, checkpoints, saved.network.spec)
        histories[name] = _by_split(saved.state.history)
        if saved.run["baseline"] is not None:
            baselines[name] = saved.run["baseline"]
    figure = PICTURES["curves"](histories, baselines)
    written = save_picture(figure, out or pictures_folder(files[0]) / "curves.png", as_json)
    if as_json:
        print_json(pictures=[written])


def _run_name(file: Path, checkpoints: tuple[str, ...], spec: "Spec") -> str:
    """Return the folder's name, or its path if several runs are drawn, whose names could be the same.

    The name of a variant is added where it is not in there.
    """
    one = len(checkpoints) == 1
    name = file.resolve().parent.name if one else str(file.parent if file.name == "last.h5" else file)
    return name if spec.variant is None or spec.title in name else f"{name} ({spec.title})"


def _by_split(history: "dict[str, MetricHistory]") -> "dict[str, MetricHistory]":
    """Return the measured series, without the learning rate, which is not measured.

    The mean loss of the training steps is called training_loss, unless the training split was measured itself.
    """
    running = {"training_loss": history["loss"]} if "loss" in history else {}
    return running | {name: series for name, series in history.items() if name not in ("loss", "lr")}
