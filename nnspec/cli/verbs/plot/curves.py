"""nnspec plot curves: draw loss and metrics."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.output import print_json
from nnspec.cli.pictures import picture_arguments, save_picture

if TYPE_CHECKING:
    from nnspec.spec_lang.check.spec import Spec


@click.command(
    cls=Verb,
    examples=("nnspec plot curves runs/quickstart", "nnspec plot curves runs/paper_sgd runs/paper_adam --out both.svg"),
)
@picture_arguments
@click.option(
    "--axis", type=click.Choice(("step", "epoch")), default="step", show_default=True, help="What time is counted in."
)
def command(checkpoints: tuple[str, ...], out: Path | None, style: str, as_json: bool, axis: str) -> None:
    """Draw loss and metrics over the training steps, and the baseline of the validation split as a thin line.

    Training lines are thinner than validation lines. They are the mean loss of the steps or, where the spec has
    `metrics … training=yes`, what was measured on the training split.

    Several runs share one picture, which is written to the folder of the first run unless --out is given. Up to five
    share a panel; more have a small panel each, with all others in grey behind it.
    """
    from nnspec.cli.checkpoint import open_run, pictures_folder
    from nnspec.runtime.train.history import history_of
    from nnspec.runtime.views import PICTURES, in_style

    files, runs = [], []
    for checkpoint in checkpoints:
        file, saved = open_run(checkpoint)
        files.append(file)
        runs.append(history_of(saved, _run_name(file, checkpoints, saved.network.spec)))
    with in_style(style):
        figure = PICTURES["curves"](runs, axis=axis)
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
