"""Pictures for a page: figures and samples as data URIs, small enough to mail."""

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.reporting.blocks import Image
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.runtime.views import figure_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VECTOR = 150_000  # bytes up to which a figure is kept as SVG
_IMAGES = 20  # of pixels in a figure that may be kept as SVG: of more, the SVG is too large in any case
_COLOURS = 256  # of a picture of pixels; the difference to the full palette is not visible
_SIDE = 256  # pixels: the longest side of a sample that is shown as it is
_CSS_PIXELS = 96  # in an inch, on a page


def figure_image(light: "Figure", dark: "Figure | None", alt: str, caption: str = "") -> Image:
    """Return a figure as a picture, with the same figure drawn for dark screens."""
    width, height = (round(_CSS_PIXELS * inches) for inches in light.get_size_inches())
    shown = "" if dark is None else _figure_uri(dark)
    return Image(_figure_uri(light), alt, shown, caption, width, height)


def sample_image(sample: np.ndarray, preprocessing: Preprocessing, alt: str, limits: bool = True) -> Image:
    """Return a raw sample (height, width[, channels]) as a picture of its own pixels.

    One channel is grey, three are colours, of any other number the mean is drawn. `limits` says that black and white
    are the ends of the training data's range, not of the sample's own.
    """
    pixels = np.asarray(sample, np.float64)
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        pixels = pixels.mean(axis=2)
    low, high = preprocessing.limits if limits else (float(pixels.min()), float(pixels.max()))
    step = max(1, -(-max(pixels.shape[:2]) // _SIDE))
    scaled = np.clip((pixels[::step, ::step] - low) / (high - low or 1.0), 0, 1)
    height, width = scaled.shape[:2]
    return Image(_png_uri(np.rint(255 * scaled).astype(np.uint8)), alt, "", "", width, height, True)


def _figure_uri(figure: "Figure") -> str:
    if sum(len(axes.images) for axes in figure.axes) <= _IMAGES:
        vector = figure_bytes(figure, ".svg")
        if len(vector) <= _VECTOR:
            return f"data:image/svg+xml;base64,{base64.b64encode(vector).decode()}"
    from PIL import Image as Picture

    with Picture.open(io.BytesIO(figure_bytes(figure, ".png"))) as drawn:
        return _png_uri(drawn.convert("RGB").quantize(_COLOURS, dither=Picture.Dither.NONE))


def _png_uri(pixels: Any) -> str:
    from PIL import Image as Picture

    file = io.BytesIO()
    picture = Picture.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    picture.save(file, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
