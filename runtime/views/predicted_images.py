"""The picture of predicted images: each sample's input, the truth and the prediction side by side."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, current, page

ACROSS = 3
"""Samples side by side."""

_GAP, _BETWEEN, _HEADER = 0.05, 0.25, 0.25  # inches: between images of a sample, between samples, over the first row
_WHAT = ("input", "truth", "prediction")


@picture("predicted_images")
def predicted_images(
    inputs: ArrayLike, truth: ArrayLike, predicted: ArrayLike, title: str = "Predictions", note_below: str = ""
) -> Figure:
    """Draw three images for each sample: what the network reads, what is true, and what it predicts.

    Arguments:
        inputs: (sample, height, width, channels); three channels are drawn in colour, others channel by channel.
        truth: (sample, height, width, channels), numbers, labels or the number of each pixel's class.
        predicted: of the same shape; of two classes or labels the probability.
        title: the title.
        note_below: what is shown, in words.

    Truth and prediction share one scale of grey, from the smallest true number to the largest. Raises PictureError for
    shapes that do not match.
    """
    given, true, said = (np.asarray(images) for images in (inputs, truth, predicted))
    if given.ndim != 4 or true.ndim != 4 or true.shape != said.shape or len(given) != len(true) or not len(given):
        raise PictureError(
            "inputs, truth and prediction are (sample, height, width, channels), the last two alike; these are "
            f"{given.shape}, {true.shape} and {said.shape}"
        )
    across = min(ACROSS, len(given))
    rows = -(-len(given) // across)
    unit = (PAGE_WIDTH - 0.3 - (across - 1) * _BETWEEN - 2 * across * _GAP) / (3 * across)
    tall = unit * max(given.shape[1] / given.shape[2], true.shape[1] / true.shape[2])
    width, height = across * (3 * unit + 2 * _GAP) + (across - 1) * _BETWEEN, _HEADER + rows * (tall + _BETWEEN)
    figure = page(height + 0.75, title)
    axes = sheet(figure, width, height)
    if note_below:
        axes.set_title(note_below, color=current().quiet)
    low, high = float(true.min()), float(true.max())
    read, answers = shades(given), shades(np.concatenate([true, np.clip(said, low, high)]).astype(np.float64))
    for sample in range(len(given)):
        left = (sample % across) * (3 * unit + 2 * _GAP + _BETWEEN)
        top = _HEADER + (sample // across) * (tall + _BETWEEN)
        images = read.pixels[sample], answers.pixels[sample], answers.pixels[len(given) + sample]
        for column, pixels in enumerate(images):
            box: Box = (left + column * (unit + _GAP), top, unit, unit * pixels.shape[0] / pixels.shape[1])
            place(axes, pixels, box, **(answers if column else read).look)
            frame(axes, box)
            if sample < across:
                note(axes, box[0] + unit / 2, _HEADER - 0.05, _WHAT[column], color=current().ink)
    return figure
