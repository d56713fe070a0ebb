"""The picture of a classifier's calibration: a reliability diagram, and how sure the network is of its samples."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nnspec.runtime.infer.calibration import Calibration
from nnspec.runtime.views import picture
from nnspec.runtime.views._style import SMALL_TEXT, current, page, percent


@picture("calibration")
def calibration(found: Calibration, title: str = "Calibration") -> Figure:
    """Draw how often the network is right against how sure it is, and below the share of samples by confidence.

    Of a calibrated network the bars end on the diagonal (DeGroot & Fienberg 1983; Guo et al. 2017). The gap between a
    bar and the diagonal is shaded; a bar of fewer than 20 samples is pale, for it says little.
    """
    gap = found.gap
    verdict = "about as sure as it is right" if abs(gap) < 0.01 else "too sure" if gap > 0 else "not sure enough"
    words = (
        f"{title}: {verdict}\nexpected calibration error {percent(found.error)}, of {int(found.counts.sum()):,} samples"
    )
    figure = page(5.2, words, 5.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    look, width = current(), float(found.edges[1])
    middle = (found.edges[:-1] + found.edges[1:]) / 2
    some = found.counts > 0
    above.plot((0, 1), (0, 1), color=look.quiet, linewidth=1.0, linestyle=(0, (4, 3)), label="calibrated")
    few = some & (found.counts < 20)
    for which, alpha, label in ((some & ~few, 1.0, "right"), (few, 0.35, "right, fewer than 20 samples")):
        if which.any():
            above.bar(
                middle[which], found.accuracy[which], 0.92 * width, color=look.colours[0], alpha=alpha, label=label
            )
    heights = np.abs(found.accuracy - found.confidence)[some]
    feet = np.minimum(found.accuracy, found.confidence)[some]
    above.bar(
        middle[some], heights, 0.92 * width, bottom=feet, fill=False, hatch="////", edgecolor=look.colours[1],
        linewidth=0.6, label="gap to the mean confidence",
    )  # fmt: skip
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right")
    above.legend(loc="upper left", frameon=False, fontsize=SMALL_TEXT + 1, labelcolor=look.ink)
    below.bar(middle, found.counts / found.counts.sum(), 0.92 * width, color=look.quiet)
    below.set(xlabel="confidence: the probability of the predicted class", ylabel="samples")
    for axes in (above, below):
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
        axes.grid(axis="y")
    below.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    return figure
