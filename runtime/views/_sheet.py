"""Many small images on one axes, whose units are inches from its upper left corner."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nnspec.runtime.views._style import SMALL_TEXT, current

_CHANNELS = 9  # of an image that are drawn

Box = tuple[float, float, float, float]  # left, top, width, height in inches


def sheet(figure: Figure, width: float, height: float) -> Axes:
    """Return an empty axes of this width and height in inches, without ticks or frame."""
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="W")
    axes.autoscale(False)
    return axes


def frame(axes: Axes, box: Box) -> Rectangle:
    """Draw a faint outline around a box, so that a white image has an edge, and return it."""
    left, top, width, height = box
    edge = Rectangle((left, top), width, height, fill=False, edgecolor=current().faint, linewidth=0.8, clip_on=False)
    axes.add_patch(edge)
    return edge


def place(axes: Axes, pixels: NDArray[Any], box: Box, **look: Any) -> AxesImage:
    """Draw an image in a box and return it; `look` is its colour map and limits."""
    left, top, width, height = box
    image = AxesImage(axes, extent=(left, left + width, top + height, top), **look)
    image.set_data(pixels)
    image.set_clip_box(axes.bbox)
    axes.add_image(image)
    return image


def note(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Write small grey text, centred over (x, y) unless `look` says otherwise."""
    usual: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": SMALL_TEXT, "color": current().quiet}
    axes.text(x, y, text, **(usual | look))


@dataclass(frozen=True)
class Shades:
    """What is drawn of images: (image, height, width[, 3]), the look that `place` takes, and a note on it or ""."""

    pixels: NDArray[Any]
    look: dict[str, Any]
    note: str = ""


def shades(samples: NDArray[Any]) -> Shades:
    """Return what to draw of (image, height, width, channels).

    One channel is grey and three are colours, on one scale for all images: as they are where they are bytes or from 0
    to 1. Any other number is drawn channel by channel
    in the place of the image, each on a scale of its own; the note says so.
    """
    channels = samples.shape[3]
    if channels == 3 and holds_bytes(samples):
        samples = samples.astype(np.uint8)
    if channels not in (1, 3):
        return _by_channel(samples)
    if channels == 1:
        grey = samples[..., 0]
        return Shades(grey, {"cmap": "gray", "norm": Normalize(float(grey.min()), float(grey.max()))})
    if samples.dtype == np.uint8 or (samples.min() >= 0 and samples.max() <= 1):
        return Shades(samples, {})
    low, high = float(samples.min()), float(samples.max())
    note = f"Colours span {low:.3g} to {high:.3g} in each of red, green and blue."
    return Shades((samples - low) / max(high - low, 1e-12), {}, note)


def holds_bytes(samples: NDArray[Any]) -> bool:
    """Return whether all numbers are whole, from 0 to 255, with one above 1: the bytes of photos, of any dtype."""
    low, high = samples.min(), samples.max()
    return bool(low >= 0 and 1 < high <= 255 and (samples.dtype.kind in "ui" or (samples == np.floor(samples)).all()))


def _by_channel(samples: NDArray[Any]) -> Shades:
    count, height, width, channels = samples.shape
    shown = min(channels, _CHANNELS)
    side = int(np.ceil(np.sqrt(shown)))
    tiles = np.full((count, side * height, side * width), np.nan)
    for channel in range(shown):
        row, column = divmod(channel, side)
        values = samples[..., channel].astype(np.float64)
        span = max(float(np.ptp(values)), 1e-12)
        place = slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)
        tiles[:, *place] = (values - values.min()) / span
    cut = f", the first {shown} drawn" if shown < channels else ""
    note = (
        f"An image has {channels} channels{cut}, drawn row by row in its place, each from its darkest to its lightest."
    )
    return Shades(tiles, {"cmap": "gray", "norm": Normalize(0, 1)}, note)
