"""The picture of what each layer makes of one sample: its feature maps, a row for each layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nnspec.runtime.explain.layer_values import MOST_LAYERS, LayerValues
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import frame, note, place, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, current, page, shortened

_TILES = 10  # channels of a layer that are drawn
_LEFT, _GAP, _LINE, _BETWEEN = 1.5, 0.07, 0.14, 0.12  # inches: names, between tiles, a line of text, between rows
_TALLEST, _STRIP = 0.9, 0.3  # inches, of an image and of a row of numbers


@picture("features")
def features(layers: Sequence[LayerValues], title: str = "Feature maps", names: Sequence[str] = ()) -> Figure:
    """Draw the output of each layer for one sample, from the first to the last.

    An image has a tile for each channel, ten at most, those with the largest deviation first; a sequence is one tile,
    steps across and channels down; other numbers are a strip. Each row has its own scale, written at its left: dark
    below 0, the background at 0, light above, or one colour where nothing is below 0. `names` are those of the numbers
    of the last row. Raises PictureError where there are no layers, or more than 40.
    """
    if not 0 < len(layers) <= MOST_LAYERS:
        raise PictureError(f"1 to {MOST_LAYERS} layers are drawn, and these are {len(layers)}")
    wide = PAGE_WIDTH - _LEFT - 0.3
    rows = [_tiles(layer, wide) for layer in layers]
    last = bool(names) and layers[-1].values.ndim == 1 and len(names) == layers[-1].values.size <= 12
    height = sum(max(size[0], 2.6 * _LINE) + _BETWEEN + _LINE for _, size, _ in rows) + (_LINE if last else 0) + 0.1
    figure = page(height + 0.5, title)
    axes = sheet(figure, PAGE_WIDTH - 0.3, height)
    top = 0.0
    for layer, (tiles, size, words) in zip(layers, rows, strict=True):
        values = np.asarray(layer.values, np.float64)
        low, high = float(values.min()), float(values.max())
        most = max(abs(low), abs(high)) or 1.0
        signed = low < 0
        look: dict[str, Any] = {
            "cmap": current().diverging if signed else current().shares,
            "norm": Normalize(-most if signed else 0, most),
        }
        y = top + _LINE
        note(axes, _LEFT - 0.1, y, shortened(layer.text, 22), ha="right", va="top", color=current().ink)
        shape = "x".join(map(str, values.shape))
        span = f"±{most:.3g}" if signed else f"0 to {most:.3g}"
        note(axes, _LEFT - 0.1, y + _LINE, f"{shape} · {span}", ha="right", va="top")
        for column, tile in enumerate(tiles):
            box = (_LEFT + column * (size[1] + _GAP), y, size[1], size[0])
            place(axes, tile, box, **look)
            frame(axes, box)
        note(axes, _LEFT, y - 0.015, words, ha="left")
        top = y + max(size[0], 2.6 * _LINE) + _BETWEEN
    if last:
        count, width = layers[-1].values.size, rows[-1][1][1]
        for number, name in enumerate(names):
            x = _LEFT + (number + 0.5) * width / count
            note(axes, x, top, shortened(name, max(int(width / count / 0.065), 3)), va="bottom")
    return figure


def _tiles(layer: LayerValues, wide: float) -> tuple[list[NDArray[np.float64]], tuple[float, float], str]:
    """Return the tiles of a layer, their height and width in inches, and what is drawn, in words."""
    values = np.asarray(layer.values, np.float64)
    if values.ndim == 3 and values.shape[0] * values.shape[1] > 1:
        channels = values.shape[2]
        spread = values.reshape(-1, channels).std(axis=0)
        chosen = np.sort(np.argsort(-spread, kind="stable")[:_TILES])
        side = min((wide - (_TILES - 1) * _GAP) / _TILES * 1.0, _TALLEST)
        if channels <= 4:
            side = _TALLEST
        scale = side / max(values.shape[:2])
        words = f"{len(chosen)} of {channels} channels, the most varied" if channels > len(chosen) else ""
        return [values[..., at] for at in chosen], (values.shape[0] * scale, values.shape[1] * scale), words
    if values.ndim == 2 and values.shape[0] > 1:
        return [values.T], (min(0.06 * values.shape[1] + 0.2, 1.0), wide), "steps across, channels down"
    flat = values.reshape(1, -1)
    return [flat], (_STRIP, min(wide, max(0.02 * flat.size, 0.35 * min(flat.size, 12)))), ""
