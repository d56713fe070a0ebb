"""Many small images on one sheet: a single axes measured in inches, from its upper left corner, holds them all."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nnspec.runtime.views._style import FAINT, QUIET, SMALL

Box = tuple[float, float, float, float]  # left, top, width, height in inches


def sheet(figure: Figure, width: float, height: float) -> Axes:
    """An empty sheet of so many inches, without ticks or frame."""
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="W")
    axes.autoscale(False)
    return axes


def frame(axes: Axes, box: Box) -> Rectangle:
    """A faint outline, so that an image as white as the paper has an edge too."""
    left, top, width, height = box
    edge = Rectangle((left, top), width, height, fill=False, edgecolor=FAINT, linewidth=0.8, clip_on=False)
    axes.add_patch(edge)
    return edge


def place(axes: Axes, pixels: NDArray[Any], box: Box, **look: Any) -> AxesImage:
    """Lay an image into the box; `look` is its colour map and limits."""
    left, top, width, height = box
    image = AxesImage(axes, extent=(left, left + width, top + height, top), **look)
    image.set_data(pixels)
    image.set_clip_box(axes.bbox)
    axes.add_image(image)
    return image


def note(axes: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Small quiet words on the sheet, centred over (x, y) unless told otherwise."""
    usual: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": SMALL, "color": QUIET}
    axes.text(x, y, text, **(usual | look))
