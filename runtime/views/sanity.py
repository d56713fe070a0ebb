"""The picture of the sanity check: the maps of an image as more layers have random weights."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.sanity import Randomized
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, note, place, shades, sheet
from nnspec.runtime.views._style import SMALL_TEXT, current, page, shortened
from nnspec.runtime.views._tiles import Tiles

_MOST = 8  # columns of maps
_LINE, _WIDEST = 0.15, 1.3  # inches: a line of text, the widest tile


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
    layers, images = (first := next(iter(found.values()))).layers, first.correlation.shape[1]
    stages = _stages(len(layers))
    left = 0.15 + 0.07 * max(len(name) for name in found)
    size_of_image = pixels.shape[0], pixels.shape[1]
    tiles = Tiles.fitting(size_of_image, 1 + len(stages), _WIDEST, left=left, head=2 * _LINE + 0.05, below=_LINE)
    size = tiles.size(len(found), 1 + len(stages), 2 * _LINE)
    heading = f"{title}: {_verdict(found)} ({images} {'image' if images == 1 else 'images'})"
    figure = page(size[1] + 0.45, heading, max(size[0] + 0.2, 5.0))
    axes = sheet(figure, *size)
    _draw_headings(axes, tiles, stages, layers)
    place(axes, shown.pixels[0], tiles.box(0, 0), **shown.look)
    frame(axes, tiles.box(0, 0))
    for row, (name, each) in enumerate(found.items()):
        left, top, _, height = tiles.box(row, 0)
        note(axes, left - 0.1, top + height / 2, name.replace("_", " "), ha="right", va="center", color=current().ink)
        for column, stage in enumerate(stages, start=1):
            _draw_map(axes, each.maps[stage, at], tiles.box(row, column))
            words = f"{each.correlation[stage].mean():.2f}"
            note(axes, tiles.middle(column), top + height + _LINE, words, fontsize=SMALL_TEXT)
    foot = "Below a map: its rank correlation with the trained one. Layers become random from the last to the first."
    note(axes, 0, size[1], foot, ha="left")
    return figure


def _stages(count: int) -> list[int]:
    """Return how many layers are random in each column: none first, all last, some of those between."""
    if count < _MOST:
        return list(range(count + 1))
    return [0, *map(int, np.unique(np.linspace(1, count, _MOST - 1).round()))]


def _verdict(found: Mapping[str, Randomized]) -> str:
    """Return which methods draw alike maps of a network without knowledge."""
    kept = [name.replace("_", " ") for name, each in found.items() if abs(each.correlation[-1].mean()) > 0.5]
    if not kept:
        return "random weights destroy every map"
    return f"with random weights the maps of {', '.join(kept)} stay alike"


def _draw_headings(axes: Axes, tiles: Tiles, stages: Sequence[int], layers: Sequence[str]) -> None:
    """Write over each column from which layer on the weights are random."""
    above, ink, most = tiles.head - 0.03, current().ink, max(int(tiles.width / 0.06), 6)
    note(axes, tiles.middle(0), above, "image", color=ink)
    for column, stage in enumerate(stages, start=1):
        words = "trained" if stage == 0 else f"random from\n{shortened(layers[stage - 1], most)}"
        note(axes, tiles.middle(column), above, words, color=ink, linespacing=1.1)


def _draw_map(axes: Axes, values: Array, box: Box) -> None:
    """Draw a map on a scale of its own, symmetric about 0."""
    limit = float(np.percentile(np.abs(values), 99.5)) or float(np.abs(values).max()) or 1.0
    place(axes, values, box, cmap=current().diverging, norm=Normalize(-limit, limit))
    frame(axes, box)
