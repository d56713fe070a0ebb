"""The predictions of a network of series."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.infer.forecasting import forecasts
from nnspec.runtime.views import PICTURES
from nnspec.runtime.views.figures import Subject, figures


@figures("predictions")
def predictions(subject: Subject) -> list[Figure]:
    """Draw truth and prediction over time, and the network rolled forward where it predicts one column."""
    _, chosen = subject.samples
    columns = forecasts(subject.network, chosen)
    series = columns[0]
    truth = np.stack([column.truth for column in columns], axis=1)
    predicted = np.stack([column.predicted for column in columns], axis=1)
    if len(columns) == 1:
        truth, predicted = truth[:, 0], predicted[:, 0]
    title = f"{subject.title} on {subject.place}"
    names = [column.name for column in columns]
    given = truth, predicted, series.rolled, series.begins, title, names, series.ahead, series.times
    quantiles = subject.network.spec.loss.quantiles
    band = f"quantiles {quantiles[0]:g} to {quantiles[-1]:g}" if quantiles else ""
    return [PICTURES["predictions"](*given, [column.band for column in columns], band)]
