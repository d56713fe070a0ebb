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

    For networks that predict later numbers of a series: data sine, or a table with window=. Several columns have a
    panel each; a column of dates is the axis.
    """
    import numpy as np

    from nnspec.cli.checkpoint import chosen_split
    from nnspec.runtime.infer.forecasting import forecasts
    from nnspec.runtime.views import PICTURES

    def draw(file: Path, network: "Network") -> "Figure":
        name, found, chosen = chosen_split(network, data, split)
        columns = forecasts(network, chosen)
        series = columns[0]
        truth = np.stack([column.truth for column in columns], axis=1)
        predicted = np.stack([column.predicted for column in columns], axis=1)
        if len(columns) == 1:
            truth, predicted = truth[:, 0], predicted[:, 0]
        title = f"{network.spec.title} on {found.name}, {name}"
        names = [column.name for column in columns]
        given = truth, predicted, series.rolled, series.begins, title, names, series.ahead, series.times
        return PICTURES["predictions"](*given)

    save_pictures("predictions", checkpoints, out, draw, as_json)
