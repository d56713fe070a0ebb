"""The picture of the sanity check: the maps of an image as more layers have random weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnspec.runtime.explain.sanity import Randomized
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, shortened

_MOST = 8  # columns of maps
_GAP, _LINE, _TALLEST = 0.09, 0.15, 1.3  # inches


@picture("sanity")
def sanity(image: ArrayLike, found: Mapping[str, Randomized], at: int = 0, title: str = "Sanity check") -> Figure:
    """Draw a row for each method: the map of the trained network, then those with more and more random layers.

    Arguments:
        image: (height, width[, channels]), the image that is drawn.
        found: method → its maps and correlations.
        at: the index of the image among these.

    Below each map is Spearman's correlation with the trained network's map, the mean over all images. Each
    map has a scale of its own, for its size changes with the weights. Raises PictureError where there are no maps.
    """
    if not found:
        raise PictureError("there is no method to draw")
    pixels = np.asarray(image)
    shown = shades(pixels[None, ..., None] if pixels.ndim == 2 else pixels[None])
    first = next(iter(found.values()))
    count = len(first.layers)
    stages = (
        range(count + 1) if count < _MOST else [0, *np.unique(np.linspace(1, count, _MOST - 1).round().astype(int))]
    )
    columns = 1 + len(stages)
    left = 0.15 + 0.07 * max(len(name) for name in found)
    rows, columns_of_image = pixels.shape[:2]
    unit = min((PAGE_WIDTH - 0.25 - left) / columns - _GAP, _TALLEST) / columns_of_image
    height, width = rows * unit, columns_of_image * unit
    head, down = 2 * _LINE + 0.05, height + _LINE + _GAP
    size = left + columns * (width + _GAP), head + len(found) * down + 2 * _LINE
    kept = [name.replace("_", " ") for name, each in found.items() if abs(each.correlation[-1].mean()) > 0.5]
    verdict = (
        f"with random weights the maps of {', '.join(kept)} stay alike" if kept else "random weights destroy every map"
    )
    images = first.correlation.shape[1]
    figure = page(
        size[1] + 0.45, f"{title}: {verdict} ({images} {'image' if images == 1 else 'images'})", max(size[0] + 0.2, 5.0)
    )
    axes = sheet(figure, *size)
    ink = current().ink
    note(axes, left + width / 2, head - 0.03, "image", color=ink)
    for column, stage in enumerate(stages, start=1):
        words = (
            "trained" if stage == 0 else f"random from\n{shortened(first.layers[stage - 1], max(int(width / 0.06), 6))}"
        )
        note(axes, left + column * (width + _GAP) + width / 2, head - 0.03, words, color=ink, linespacing=1.1)
    for row, (name, each) in enumerate(found.items()):
        top = head + row * down
        note(axes, left - 0.1, top + height / 2, name.replace("_", " "), ha="right", va="center", color=ink)
        if row == 0:
            place(axes, shown.pixels[0], (left, top, width, height), **shown.look)
            frame(axes, (left, top, width, height))
        for column, stage in enumerate(stages, start=1):
            box: Box = (left + column * (width + _GAP), top, width, height)
            values = each.maps[stage, at]
            limit = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
            look: dict[str, Any] = {"cmap": current().diverging, "norm": Normalize(-limit, limit)}
            place(axes, values, box, **look)
            frame(axes, box)
            words = f"{each.correlation[stage].mean():.2f}"
            note(axes, box[0] + width / 2, top + height + _LINE, words, fontsize=SMALL_TEXT)
    foot = "Below a map: its rank correlation with the trained one. Layers become random from the last to the first."
    note(axes, 0, size[1], foot, ha="left")
    return figure
