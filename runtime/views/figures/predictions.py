"""The predictions of a network of series, or of one that ends in an image."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.data import Split
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.forecasting import Forecast, forecasts, predicts_series
from nnspec.runtime.views import PICTURES
from nnspec.runtime.views._style import three_digits
from nnspec.runtime.views.figures import Subject, figures

SHOWN = 12
"""Samples of images that are drawn."""


@figures("predictions")
def predictions(subject: Subject) -> list[Figure]:
    """Draw truth and prediction over time, and the network rolled forward where it predicts one column.

    Of a network that ends in an image, draw the first samples: input, truth and prediction.
    """
    _, chosen = subject.samples
    output = subject.network.spec.output_shape
    if output is not None and len(output) == 3 and not output.sequence:
        return [_images(subject, Split(chosen.inputs[:SHOWN], chosen.targets[:SHOWN]))]
    train = subject.found.train
    baseline = Baseline.fit(subject.network, train) if predicts_series(subject.network, chosen) and len(train) else None
    columns = forecasts(subject.network, chosen, baseline=baseline)
    series = columns[0]
    truth = np.stack([column.truth for column in columns], axis=1)
    predicted = np.stack([column.predicted for column in columns], axis=1)
    if len(columns) == 1:
        truth, predicted = truth[:, 0], predicted[:, 0]
    found = "" if baseline is None else _finding(columns, baseline.name)
    title = f"{subject.title} on {subject.place}{found}"
    names = [column.name for column in columns]
    given = truth, predicted, series.rolled, series.begins, title, names, series.ahead, series.times
    quantiles = subject.network.spec.loss.quantiles
    band = f"quantiles {quantiles[0]:g} to {quantiles[-1]:g}" if quantiles else ""
    return [PICTURES["predictions"](*given, [column.band for column in columns], band)]


def _finding(columns: list[Forecast], name: str) -> str:
    """Return how far the predictions miss, beside the baseline called `name`; "" where that is not a number."""
    own, plain = (
        [float(np.median(np.abs(column.truth - values))) for column, values in pairs]
        for pairs in ([(c, c.predicted) for c in columns], [(c, c.baseline) for c in columns if c.baseline is not None])
    )
    if len(plain) != len(own) or not np.isfinite([own, plain]).all():
        return ""
    if len(own) == 1:
        return f": predictions miss by {three_digits(own[0])} in the median, the {name} by {three_digits(plain[0])}"
    nearer = int(np.less(own, plain).sum())
    return f": in the median predictions are nearer than the {name} in {nearer} of {len(own)} columns"


def _images(subject: Subject, shown: Split) -> Figure:
    """Draw samples, their truth and what is predicted: numbers, the probability of yes, or the most probable class."""
    network, inputs = subject.network, np.asarray(shown.inputs)
    outputs, truth = network.predict(inputs), np.asarray(shown.targets)
    what = "numbers"
    if network.spec.loss.classes:
        what = "the class of each pixel" if outputs.shape[-1] > 2 else "the probability of the second class"
        outputs = outputs[..., 1:] if outputs.shape[-1] == 2 else outputs.argmax(axis=-1)[..., None]
    elif network.spec.loss.labels:
        what = "the probability of yes"
    inputs = inputs if inputs.ndim == 4 else inputs[..., None]
    truth = truth if truth.ndim == 4 else truth[..., None]
    title = f"{subject.title} on {subject.place}"
    return PICTURES["predicted_images"](inputs, truth, outputs, title, f"predicted: {what}")
