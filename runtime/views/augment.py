"""The picture of augmentation: images, and beside each some variations of it that training may see."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, holds_bytes, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, shortened

_GAP, _WIDER, _HEADER = 0.06, 0.2, 0.25  # inches: between images, after the originals, over the first row
_TALLEST = 1.2  # inches, of an image
_NAME = 14  # letters of a name


@picture("augment")
def augment(
    images: ArrayLike,
    variations: ArrayLike,
    names: Sequence[str] | None = None,
    note_below: str = "",
    title: str = "Augmentation",
) -> Figure:
    """Draw a row for each image: the image as it is, then its variations.

    Arguments:
        images: (image, height, width, channels); three channels are colours, other numbers drawn by channel.
        variations: (image, variation, height, width, channels).
        names: a name for each image, such as its class.
        note_below: what is done to the images, in words.

    All are drawn on the scale of the images: a number below or above it is as dark or as light as the image's extreme.
    Raises PictureError for shapes that do not match.
    """
    originals, changed = np.asarray(images), np.asarray(variations)
    expected = *originals.shape[:1], *changed.shape[1:2], *originals.shape[1:]
    if originals.ndim != 4 or not len(originals) or changed.shape != expected:
        raise PictureError(
            f"images are (image, height, width, channels) and variations (image, variation, height, width, channels); "
            f"these are {originals.shape} and {changed.shape}"
        )
    if names is not None and len(names) != len(originals):
        raise PictureError(f"{len(originals)} images need as many names, and there are {len(names)}")
    side = 0.1 if names is None else 0.15 + 0.085 * max(len(shortened(name, _NAME)) for name in names)
    across = changed.shape[1] + 1
    free = PAGE_WIDTH - side - _WIDER - across * _GAP - 0.3
    unit = min(free / across / originals.shape[2], _TALLEST / originals.shape[1])
    height, width = originals.shape[1] * unit, originals.shape[2] * unit
    size = side + across * (width + _GAP) + _WIDER, _HEADER + len(originals) * (height + _GAP)
    figure = page(size[1] + 0.75, title)
    axes = sheet(figure, *size)
    within = np.clip(changed, originals.min(), originals.max())
    every = np.concatenate([originals[:, None], within], axis=1)
    if originals.shape[3] == 3 and holds_bytes(originals):  # variations have fractions
        every = every.round().astype(np.uint8)
    shown = shades(every.reshape(-1, *originals.shape[1:]))
    if words := "\n".join(filter(None, (note_below, shown.note))):
        axes.set_title(words, fontsize=SMALL_TEXT + 2, color=current().quiet)
    for row in range(len(originals)):
        top = _HEADER + row * (height + _GAP)
        for column in range(across):
            box: Box = (side + column * (width + _GAP) + (_WIDER if column else 0), top, width, height)
            place(axes, shown.pixels[row * across + column], box, **shown.look)
            frame(axes, box)
        if names is not None:
            name = shortened(names[row], _NAME)
            note(
                axes,
                side - 0.1,
                top + height / 2,
                name,
                ha="right",
                va="center",
                fontsize=SMALL_TEXT + 2,
                color=current().ink,
            )
    note(axes, side + width / 2, _HEADER - 0.05, "original", color=current().ink)
    note(axes, side + width + _GAP + _WIDER, _HEADER - 0.05, "variations", ha="left", color=current().ink)
    return figure
