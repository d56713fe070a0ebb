"""Many small images on one axes, whose units are inches from its upper left corner."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nnspec.runtime.views._style import SMALL_TEXT, current

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


def shades(samples: NDArray[Any]) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return what to draw of (image, height, width, channels): three channels as colours, else their mean."""
    if samples.shape[3] != 3:
        grey = samples.mean(axis=3)
        return grey, {"cmap": "gray", "norm": Normalize(float(grey.min()), float(grey.max()))}
    if samples.dtype == np.uint8 or (samples.min() >= 0 and samples.max() <= 1):
        return samples, {}
    return (samples - samples.min()) / max(float(np.ptp(samples)), 1e-12), {}
