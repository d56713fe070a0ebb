"""nnspec plot predictions: a series, and what a network says of it."""

from pathlib import Path

import click

from nnspec.cli._command import Verb
from nnspec.cli._options import samples
from nnspec.cli._pictures import keep, picture_arguments, single


@click.command(
    cls=Verb,
    examples=("nnspec plot predictions runs/sine_rnn", "nnspec plot predictions runs/sine_rnn --split validation"),
)
@picture_arguments
@samples
def command(checkpoints: tuple[str, ...], out: Path | None, data: str | None, split: str | None) -> None:
    """Draw truth and prediction over time, and the network rolled forward on its own output.

    For networks that predict the next number of a series: data sine, or csv with window=.
    """
    from nnspec.cli._checkpoint import chosen_split, opened, pictures_beside
    from nnspec.runtime.infer.forecasting import forecast
    from nnspec.runtime.views import PICTURES

    single(checkpoints, out)
    for checkpoint in checkpoints:
        file, saved = opened(checkpoint)
        name, found, chosen = chosen_split(saved.network, data, split)
        told = forecast(saved.network, chosen)
        title = f"{saved.network.spec.name} on {found.name}, {name}"
        figure = PICTURES["predictions"](told.truth, told.predicted, told.rolled, told.begins, title)
        keep(figure, out or pictures_beside(file) / "predictions.png")
