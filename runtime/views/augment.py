"""The picture of augmentation: images, and beside each some variations of it that training may see."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, Shades, frame, holds_bytes, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, shortened

_GAP, _WIDER, _HEADER = 0.06, 0.2, 0.25  # inches: between images, after the originals, over the first row
_TALLEST = 1.2  # inches, of an image
_NAME = 14  # letters of a name


Images = tuple[NDArray[Any], NDArray[Any]]
"""Images (image, height, width, channels) and variations of each (image, variation, height, width, channels)."""


@picture("augment")
def augment(
    images: ArrayLike,
    variations: ArrayLike,
    names: Sequence[str] | None = None,
    note_below: str = "",
    title: str = "Augmentation",
    targets: tuple[ArrayLike, ArrayLike] | None = None,
) -> Figure:
    """Draw a row for each image: the image as it is, then its variations.

    Arguments:
        images: (image, height, width, channels); three channels are colours, other numbers drawn by channel.
        variations: (image, variation, height, width, channels).
        names: a name for each image, such as its class.
        note_below: what is done to the images, in words.
        targets: images that move with them, and their variations, in the same shapes but for the channels, without
            channels where each pixel has the number of a class; they are drawn in a row below each image's.

    All are drawn on the scale of the images: a number below or above it is as dark or as light as the image's extreme.
    Raises PictureError for shapes that do not match.
    """
    bands = [_checked(images, variations, "images")]
    if targets is not None:
        parts = [np.asarray(part) for part in targets]
        parts = [part[..., None] if part.ndim == rank else part for part, rank in zip(parts, (3, 4), strict=True)]
        bands.append(_checked(parts[0], parts[1], "targets"))
    if names is not None and len(names) != len(bands[0][0]):
        raise PictureError(f"{len(bands[0][0])} images need as many names, and there are {len(names)}")
    count, pixels_high, pixels_wide = bands[0][0].shape[:3]
    side = 0.1 if names is None else 0.15 + 0.085 * max(len(shortened(name, _NAME)) for name in names)
    across = bands[0][1].shape[1] + 1
    free = PAGE_WIDTH - side - _WIDER - across * _GAP - 0.3
    unit = min(free / across / pixels_wide, _TALLEST / pixels_high)
    height, width = pixels_high * unit, pixels_wide * unit
    row_height = len(bands) * (height + _GAP) + (_GAP if len(bands) > 1 else 0)
    size = side + across * (width + _GAP) + _WIDER, _HEADER + count * row_height
    figure = page(size[1] + 0.75, title)
    axes = sheet(figure, *size)
    drawn = [_shown(band) for band in bands]
    if words := "\n".join(dict.fromkeys(filter(None, (note_below, *(shown.note for shown in drawn))))):
        axes.set_title(words, fontsize=SMALL_TEXT + 2, color=current().quiet)
    for row, (number, shown) in product(range(count), enumerate(drawn)):
        top = _HEADER + row * row_height + number * (height + _GAP)
        for column in range(across):
            box: Box = (side + column * (width + _GAP) + (_WIDER if column else 0), top, width, height)
            place(axes, shown.pixels[row * across + column], box, **shown.look)
            frame(axes, box)
    look: dict[str, Any] = {"color": current().ink, "fontsize": SMALL_TEXT + 2}
    for row, name in enumerate(names or ()):
        middle = _HEADER + row * row_height + height / 2
        note(axes, side - 0.1, middle, shortened(name, _NAME), ha="right", va="center", **look)
    note(axes, side + width / 2, _HEADER - 0.05, "original", color=current().ink)
    below = ", the targets below the images" if targets is not None else ""
    left = side + width + _GAP + _WIDER
    note(axes, left, _HEADER - 0.05, f"variations{below}", ha="left", color=current().ink)
    return figure


def _checked(images: ArrayLike, variations: ArrayLike, what: str) -> Images:
    """Return images and their variations as arrays. Raises PictureError for shapes that do not match."""
    originals, changed = np.asarray(images), np.asarray(variations)
    expected = *originals.shape[:1], *changed.shape[1:2], *originals.shape[1:]
    if originals.ndim != 4 or not len(originals) or changed.shape != expected:
        raise PictureError(
            f"{what} are (image, height, width, channels) and variations (image, variation, height, width, channels); "
            f"these are {originals.shape} and {changed.shape}"
        )
    return originals, changed


def _shown(band: Images) -> Shades:
    """Return what to draw of each image and its variations, (image and variation, height, width[, 3])."""
    originals, changed = band
    within = np.clip(changed, originals.min(), originals.max())
    every = np.concatenate([originals[:, None], within], axis=1)
    if originals.shape[3] == 3 and holds_bytes(originals):  # variations have fractions
        every = every.round().astype(np.uint8)
    return shades(every.reshape(-1, *originals.shape[1:]))
