"""The predictions of a network of series, or of one that ends in an image."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.data import Split
from nnspec.runtime.infer.forecasting import forecasts
from nnspec.runtime.views import PICTURES
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
