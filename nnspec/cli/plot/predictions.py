"""nnspec plot predictions: draw a series and its predictions."""

from pathlib import Path

import click

from nnspec.cli._command import Verb
from nnspec.cli._options import data_options
from nnspec.cli._pictures import picture_arguments, require_single_picture, save_picture


@click.command(
    cls=Verb,
    short_help="Draw truth and prediction over time.",
    examples=("nnspec plot predictions runs/sine_rnn", "nnspec plot predictions runs/sine_rnn --split validation"),
)
@picture_arguments
@data_options
def command(checkpoints: tuple[str, ...], out: Path | None, data: str | None, split: str | None) -> None:
    """Draw truth and prediction over time, and a forecast in which the network reads its own output.

    For networks that predict the next number of a series: data sine, or csv with window=.
    """
    from nnspec.cli._checkpoint import chosen_split, open_checkpoint, pictures_folder
    from nnspec.runtime.infer.forecasting import forecast
    from nnspec.runtime.views import PICTURES

    require_single_picture(checkpoints, out)
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        name, found, chosen = chosen_split(saved.network, data, split)
        series = forecast(saved.network, chosen)
        title = f"{saved.network.spec.name} on {found.name}, {name}"
        figure = PICTURES["predictions"](series.truth, series.predicted, series.rolled, series.begins, title)
        save_picture(figure, out or pictures_folder(file) / "predictions.png")
