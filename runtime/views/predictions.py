"""A series over time: the truth, the prediction of each point, and the network rolled forward on its predictions."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import COLOURS, FAINT, QUIET, page


@picture("predictions")
def predictions(
    truth: ArrayLike,
    predicted: ArrayLike,
    rolled: ArrayLike | None = None,
    begins: int = 0,
    title: str = "Predictions",
) -> Figure:
    """Draw truth and prediction over time and, below, the network rolled forward on its own output if given.

    `truth` and `predicted` are (points,). `rolled` are predictions from point `begins` on, made from earlier
    predictions; a vertical line marks that point. The caption of each panel has its root mean squared error, and both
    panels share one scale. Raises PictureError if there are no points or their numbers differ.
    """
    points, estimates = np.asarray(truth, float), np.asarray(predicted, float)
    own = None if rolled is None else np.asarray(rolled, float)
    if not points.size or points.shape != estimates.shape or points.ndim != 1:
        raise PictureError(
            f"truth and prediction are a number for each point; these are {points.shape}, {estimates.shape}"
        )
    if own is not None and own.shape != points[begins:].shape:
        raise PictureError(
            f"{own.size} answers from point {begins} on do not end where the truth does, at {points.size}"
        )
    rows = 1 if own is None else 2
    figure = page(2.7 * rows + 0.5, title)
    panels = figure.subplots(rows, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    time = np.arange(len(points))
    for axes in panels:
        axes.plot(time, points, ".", color=QUIET, alpha=0.35, markersize=2.5, label="truth")
        axes.grid(axis="y", color=FAINT)
    panels[0].plot(time, estimates, color=COLOURS[0], linewidth=1.2, label="prediction")
    panels[0].set_title(f"the next point from the true ones, rmse {_rmse(points, estimates):.4f}")
    if own is not None:
        panels[1].plot(time[begins:], own, color=COLOURS[1], linewidth=1.5, label="rolled forward")
        panels[1].axvline(begins, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
        panels[1].set_title(
            f"rolled forward on its own answers from point {begins}, rmse {_rmse(points[begins:], own):.3g}"
        )
        low, high = points.min(), points.max()
        room = 0.5 * (high - low)  # points that diverge further are cut off
        shown = np.concatenate([points, estimates, np.clip(own, low - room, high + room)])
        panels[1].set_ylim(shown.min() - 0.1 * room, shown.max() + 0.5 * room)  # room for the legend above
    panels[-1].set_xlabel("time, in points")
    for axes in panels:
        axes.legend(loc="upper right", frameon=False, ncols=2, fontsize=8, markerscale=2)
    return figure


def _rmse(truth: np.ndarray, estimates: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(truth - estimates))))
