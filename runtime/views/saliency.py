"""The picture of maps side by side: a row for each image, a column for each method."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import frame, note, place, shades, sheet
from nnspec.runtime.views._style import SMALL_TEXT, current, in_lines, page, shortened
from nnspec.runtime.views._tiles import GAP, Tiles

ROWS = 10  # images on a page
_LINE, _WIDEST = 0.14, 1.6  # inches: a line of text, the widest tile
_HEIGHT = 10.5  # inches of a page


@picture("saliency")
def saliency(
    images: ArrayLike,
    maps: Mapping[str, ArrayLike],
    names: Sequence[str],
    captions: Sequence[str] | None = None,
    words: Mapping[str, str] | None = None,
    under: Mapping[str, Sequence[str]] | None = None,
    title: str = "What the network depends on",
    subtitle: str = "",
    of_label: str = "class",
) -> Figure:
    """Draw each image beside its maps by several methods.

    Arguments:
        images: (image, height, width[, channels]), ten at most.
        maps: method → (image, height, width).
        names: the class of each image.
        captions: a name for each image, such as its file's.
        words: what a map of each method shows, for the note below.
        under: method → a text under each map.
        title, subtitle, of_label: the title, a line below it, and what the names are: "true class".

    Each method has a scale of its own, symmetric about 0 and the same for all images of the page: red speaks for the
    class, blue against it. Its end is below the method's name. Raises PictureError for shapes that do not match.
    """
    samples, arrays = _checked(images, maps)
    if len(names) != len(samples) or (captions is not None and len(captions) != len(samples)):
        raise PictureError(f"{len(samples)} images need as many names and captions")
    shown = shades(samples)
    foot = _foot(words or {}, list(arrays), shown.note)
    tiles = _arranged(samples, 1 + len(arrays), names, captions is not None, bool(under), len(foot))
    size = tiles.size(len(samples), 1 + len(arrays), _LINE * len(foot) + 0.1)
    heading = f"{title}\n{subtitle}" if subtitle else title
    figure = page(size[1] + 0.45, heading, max(size[0] + 0.2, 6.4))
    axes = sheet(figure, *size)
    _draw_headings(axes, tiles, arrays, of_label)
    for row, pixels in enumerate(shown.pixels):
        box = left, top, width, height = tiles.box(row, 0)
        look: dict[str, Any] = {"fontsize": SMALL_TEXT + 1, "color": current().ink}
        note(axes, left - 0.1, top + height / 2, in_lines(names[row], 14, 2), ha="right", va="center", **look)
        if captions is not None:
            note(axes, left, top - 0.01, shortened(captions[row], max(int((width + GAP) / 0.06), 6)), ha="left")
        place(axes, pixels, box, **shown.look)
        frame(axes, box)
        for column, (name, values) in enumerate(arrays.items(), start=1):
            limit = _limit(values)
            place(axes, values[row], tiles.box(row, column), cmap=current().diverging, norm=Normalize(-limit, limit))
            frame(axes, tiles.box(row, column))
            if under:
                note(axes, tiles.middle(column), top + height + _LINE, under[name][row])
    for line, text in enumerate(foot, start=1):
        note(axes, 0, tiles.size(len(samples), 0)[1] + line * _LINE, text, ha="left")
    return figure


def _arranged(
    samples: NDArray[Any], columns: int, names: Sequence[str], captioned: bool, noted: bool, foot: int
) -> Tiles:
    """Return where images and maps go, with so many lines of text at the foot of the page."""
    longest = max(len(line) for name in [*names, "predicted"] for line in in_lines(name, 14, 2).split("\n"))
    head, over, below = 3 * _LINE + 0.05, _LINE if captioned else 0.02, _LINE if noted else 0.0
    free = (_HEIGHT - 0.8 - head - _LINE * foot) / len(samples) - over - below - GAP
    left = 0.15 + 0.085 * longest
    image = samples.shape[1], samples.shape[2]
    return Tiles.fitting(image, columns, _WIDEST, left=left, head=head, over=over, below=below, tallest=free)


def _draw_headings(axes: Axes, tiles: Tiles, arrays: Mapping[str, NDArray[np.float64]], of_label: str) -> None:
    """Write what the rows are, and over each column its method and the end of its scale."""
    above, look = tiles.head - 0.03, {"color": current().ink, "linespacing": 1.1}
    note(axes, 0, above, of_label.replace(" ", "\n"), ha="left", **look)
    note(axes, tiles.middle(0), above, "image", color=current().ink)
    for column, (name, values) in enumerate(arrays.items(), start=1):
        note(axes, tiles.middle(column), above, _heading(name, values, _limit(values), tiles.width), **look)


def _checked(images: ArrayLike, maps: Mapping[str, ArrayLike]) -> tuple[NDArray[Any], dict[str, NDArray[np.float64]]]:
    """Return images with their channels, and the maps as arrays. Raises PictureError for shapes that do not match."""
    samples = np.asarray(images)
    samples = samples[..., None] if samples.ndim == 3 else samples
    arrays = {name: np.asarray(values, np.float64) for name, values in maps.items()}
    if samples.ndim != 4 or not 0 < len(samples) <= ROWS or not arrays:
        raise PictureError(f"1 to {ROWS} images and a method at least are drawn; these are {samples.shape}")
    for name, values in arrays.items():
        if values.shape != samples.shape[:3]:
            raise PictureError(f"{name} must have maps of {samples.shape[:3]}, and these are {values.shape}")
    return samples, arrays


def _heading(name: str, values: NDArray[np.float64], limit: float, width: float) -> str:
    """Return what is over the maps of a method: its name, and the end of its scale below it."""
    method = textwrap.fill(name.replace("_", " "), max(int(width / 0.06), 8))
    return f"{method}\n{'±' if values.min() < 0 else '0 to '}{limit:.2g}"


def _limit(values: NDArray[np.float64]) -> float:
    """Return the end of a scale: the 99.5th percentile where a few numbers would make all others pale."""
    sizes = np.abs(values)
    most, usual = float(sizes.max()), float(np.percentile(sizes, 99.5))
    return usual if most > 1.5 * usual > 0 else most or 1.0


def _foot(words: Mapping[str, str], methods: Sequence[str], on_images: str) -> list[str]:
    said = [f"{name.replace('_', ' ')}: {words[name]}" for name in methods if name in words]
    above = current().above.capitalize()
    lines = [f"{above} speaks for the class, blue against it; each method has its own scale, the same for all images."]
    return [*lines, *said, *([on_images] if on_images else [])]
