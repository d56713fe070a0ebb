"""nnspec plot predictions: draw a series and its predictions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network


@click.command(
    cls=Verb,
    short_help="Draw truth and prediction over time.",
    examples=("nnspec plot predictions runs/sine_rnn", "nnspec plot predictions runs/sine_rnn --split validation"),
)
@picture_arguments
@data_options
def command(checkpoints: tuple[str, ...], out: Path | None, as_json: bool, data: str | None, split: str | None) -> None:
    """Draw truth and prediction over time, and a forecast in which the network reads its own output.

    For networks that predict the next number of a series: data sine, or csv with window=.
    """
    from nnspec.cli.checkpoint import chosen_split
    from nnspec.runtime.infer.forecasting import forecast
    from nnspec.runtime.views import PICTURES

    def draw(file: Path, network: "Network") -> "Figure":
        name, found, chosen = chosen_split(network, data, split)
        series = forecast(network, chosen)
        title = f"{network.spec.title} on {found.name}, {name}"
        return PICTURES["predictions"](series.truth, series.predicted, series.rolled, series.begins, title)

    save_pictures("predictions", checkpoints, out, draw, as_json)
