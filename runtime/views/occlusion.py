"""The picture of where a classifier looks: images with their occlusion maps, a row for each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.explain.occlusion import as_pair, class_average, map_shape
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, shortened

ROWS = 10  # classes on a page
_HEIGHT = 10.8  # inches of a page
_NAME = 14  # letters of a class's name
_PAIR, _GAP, _WORDS, _BAR = 0.05, 0.16, 0.2, 1.0  # inches: in a pair, between pairs, over a tile, of the scale
_HEADER, _FOOT, _TITLE = 0.2, 0.25, 0.75  # inches
_TALLEST = 2.0  # inches, of a tile


@dataclass(frozen=True)
class _Windows:
    """The windows of the maps: their size, their stride and the value that covers them."""

    size: tuple[int, int]
    stride: tuple[int, int]
    baseline: float | str

    def __str__(self) -> str:
        rows, columns = self.size
        value = self.baseline if isinstance(self.baseline, str) else f"{self.baseline:g}"
        steps = "at every position" if self.stride == (1, 1) else "in steps of {}x{}".format(*self.stride)
        return f"probability of the class with a window of {rows}x{columns} set to {value}, {steps}"


@dataclass(frozen=True)
class _Material:
    """What is drawn: images (image, height, width, channels) and what belongs to each, (image, …)."""

    images: NDArray[Any]
    maps: NDArray[np.float64]
    labels: NDArray[Any]
    probabilities: NDArray[np.float64] | None


@dataclass(frozen=True)
class _Layout:
    """Positions on the sheet in inches: `unit` is a pixel, `tile` (height, width), `names` the margin for names."""

    windows: _Windows
    unit: float
    tile: tuple[float, float]
    names: float
    across: int  # pairs of image and map
    sheet: tuple[float, float]  # width, height

    def box(self, row: int, column: int) -> Box:
        """Return the box of an image (even columns) or of its map (odd columns); pairs are side by side."""
        height, width = self.tile
        pair, second = divmod(column, 2)
        left = self.names + pair * (2 * width + _PAIR + _GAP) + second * (width + _PAIR)
        return left, _HEADER + row * (height + _WORDS) + _WORDS, width, height

    def map_box(self, row: int, column: int, cells: tuple[int, ...]) -> Box:
        """Return the box of a map on its image: each cell is centred on its window and as large as a step."""
        left, top, _, _ = self.box(row, column)
        size, step = self.windows.size, self.windows.stride
        first = [(size[axis] - step[axis]) / 2 * self.unit for axis in (0, 1)]
        return left + first[1], top + first[0], cells[1] * step[1] * self.unit, cells[0] * step[0] * self.unit


def page_count(labels: ArrayLike) -> int:
    """Return the number of pages that the classes among these labels fill."""
    return -(-len(np.unique(np.asarray(labels))) // ROWS)


@picture("occlusion")
def occlusion(
    images: ArrayLike,
    maps: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str] | None = None,
    probabilities: ArrayLike | None = None,
    *,
    window: int | tuple[int, int] = (3, 3),
    stride: int | tuple[int, int] = (1, 1),
    baseline: float | str = 0,
    per_class: int = 3,
    page_number: int = 0,
    title: str = "Where the network looks",
) -> Figure:
    """Draw a row for each class: its first images, each with its map, and the average of these maps.

    Arguments:
        images: (image, height, width[, channels]); three channels are drawn in colour, any other number as their mean.
        maps, labels: (image, row, column), the probabilities that `occlude` returns, and (image,), their classes.
        window, stride, baseline, classes: the arguments of `occlude`, for the title; names for the labels.
        probabilities: (image,), those of the whole images; the caption of a map has it and the lowest one of the map.
        per_class, page_number: the most images of a class; the page from 0, ten classes each (see `page_count`).

    All maps share one colour scale: probabilities 0 to 1, or the range of the maps where it is less than a half. A
    value is drawn at the centre of its window, so a map is a little smaller than its image.
    Raises PictureError for shapes that do not match and for a page that does not exist, OcclusionError for a window or
    a stride that does not fit.
    """
    windows = _Windows(as_pair(window, "window"), as_pair(stride, "stride"), baseline)
    material = _checked(images, maps, labels, probabilities, windows)
    if per_class < 1:
        raise PictureError(f"per_class must be 1 or more, not {per_class}")
    if not 0 <= page_number < page_count(material.labels):
        raise PictureError(f"page {page_number} is not among the {page_count(material.labels)} pages, counted from 0")
    present = np.unique(material.labels)[page_number * ROWS : (page_number + 1) * ROWS]
    rows = [np.flatnonzero(material.labels == label)[:per_class] for label in present]  # (image,) indices for each row
    names = _names(present, classes)
    drawn = np.concatenate(rows)
    look: dict[str, Any] = {"cmap": current().probability, "norm": _scale(material.maps[drawn])}
    footnote = _footnote(material, look["norm"], len(drawn) < np.isin(material.labels, present).sum(), per_class)
    layout = _layout(material.images.shape[1:3], rows, names, windows, _FOOT * (1 + footnote.count("\n")))
    figure = page(layout.sheet[1] + _TITLE, title)
    axes = sheet(figure, *layout.sheet)
    of_pages = f" (page {page_number + 1} of {page_count(material.labels)})" if page_count(material.labels) > 1 else ""
    axes.set_title(f"{windows}{of_pages}", fontsize=SMALL_TEXT + 2, color=current().quiet)
    pixels, shade_look = shades(material.images[drawn])
    following = iter(pixels)
    averages = class_average(material.maps[drawn], material.labels[drawn])
    for row, (indices, average, name) in enumerate(zip(rows, averages.values(), names, strict=True)):
        _, top, _, height = layout.box(row, 0)
        side = layout.names - 0.1, top + height / 2
        note(axes, *side, name, ha="right", va="center", fontsize=SMALL_TEXT + 2, color=current().ink)
        for column, index in enumerate(indices.tolist()):
            place(axes, next(following), layout.box(row, 2 * column), **shade_look)
            frame(axes, layout.box(row, 2 * column))
            fall = "lowest" if material.probabilities is None else f"{material.probabilities[index]:.2f} →"
            _draw_map(axes, material.maps[index], layout, (row, 2 * column + 1), fall, look)
        _draw_map(axes, average, layout, (row, 2 * layout.across), "lowest", look)
    _explain(figure, axes, layout, look, footnote)
    return figure


def _checked(
    images: ArrayLike, maps: ArrayLike, labels: ArrayLike, probabilities: ArrayLike | None, windows: _Windows
) -> _Material:
    samples, answers, which = np.asarray(images), np.asarray(maps, np.float64), np.asarray(labels)
    if samples.ndim not in (3, 4) or len(samples) == 0:
        raise PictureError(
            f"images must be (image, height, width[, channels]), one at least, and these are {samples.shape}"
        )
    if which.shape != (len(samples),) or which.dtype.kind not in "ui":
        raise PictureError(f"{len(samples)} images need as many labels, whole numbers, and these are {which.shape}")
    expected = (len(samples), *map_shape((samples.shape[1], samples.shape[2]), windows.size, windows.stride))
    if answers.shape != expected:
        raise PictureError(
            f"{len(samples)} images of {samples.shape[1]}x{samples.shape[2]} have maps of {expected} "
            f"with these windows and steps, and these maps are {answers.shape}"
        )
    before = None if probabilities is None else np.asarray(probabilities, np.float64)
    if before is not None and before.shape != which.shape:
        raise PictureError(f"{len(samples)} images need as many probabilities, and these are {before.shape}")
    return _Material(samples[..., None] if samples.ndim == 3 else samples, answers, which, before)


def _names(present: NDArray[Any], classes: Sequence[str] | None) -> list[str]:
    if classes is not None and present.max() >= len(classes):
        raise PictureError(f"label {present.max()} has no name: there are {len(classes)} names")
    return [shortened(str(label if classes is None else classes[label]), _NAME) for label in present.tolist()]


def _layout(
    image: tuple[int, ...], rows: list[NDArray[np.intp]], names: list[str], windows: _Windows, foot: float
) -> _Layout:
    """Return the largest layout that fits the page; no tile is higher than `_TALLEST`."""
    across = max(map(len, rows))
    side = 0.15 + 0.085 * max(map(len, names))
    free_width = PAGE_WIDTH - side - _BAR - across * (_PAIR + _GAP)
    free_height = (_HEIGHT - _TITLE - _HEADER - foot) / len(rows) - _WORDS
    unit = min(free_width / (2 * across + 1) / image[1], min(free_height, _TALLEST) / image[0])
    height, width = image[0] * unit, image[1] * unit
    sheet_width = side + across * (2 * width + _PAIR + _GAP) + width
    sheet_height = _HEADER + len(rows) * (height + _WORDS) + foot
    return _Layout(windows, unit, (height, width), side, across, (sheet_width, sheet_height))


def _draw_map(
    axes: Axes, values: NDArray[Any], layout: _Layout, at: tuple[int, int], fall: str, look: dict[str, Any]
) -> None:
    left, top, width, _ = layout.box(*at)
    edge = frame(axes, layout.box(*at))
    place(axes, values, layout.map_box(*at, values.shape), **look).set_clip_path(edge)
    note(axes, left + width / 2, top - 0.02, f"{fall} {values.min():.2f}")


def _footnote(material: _Material, norm: Normalize, some_left_out: bool, per_class: int) -> str:
    """Return what the numbers over the maps are, and in a second line what could mislead the reader."""
    whole = "" if material.probabilities is None else "the probability of the whole image, and "
    warnings = []
    if some_left_out:
        warnings.append(f"Of a class only the first {per_class} of the images given are drawn and averaged.")
    if norm.vmin:
        warnings.append(f"Colours span {norm.vmin:.2g} to {norm.vmax:.2g} only.")
    return f"Over a map: {whole}the lowest with a window covered.\n{' '.join(warnings)}".rstrip()


def _explain(figure: Figure, axes: Axes, layout: _Layout, look: dict[str, Any], footnote: str) -> None:
    """Draw the heads of the columns, the footnote and the colour scale."""
    for column, words in ((0, "image"), (1, "map"), (2 * layout.across, "average")):
        left, _, width, _ = layout.box(0, column)
        note(axes, left + width / 2, _HEADER, words, fontsize=SMALL_TEXT + 1, color=current().ink)
    note(axes, layout.names, layout.sheet[1], footnote, ha="left")
    length = min(layout.sheet[1], 4.0)  # inches
    shape: dict[str, Any] = {"aspect": length / 0.14, "shrink": length / layout.sheet[1], "pad": 0.02, "panchor": False}
    figure.colorbar(ScalarMappable(**look), ax=axes, **shape).set_label("probability")


def _scale(values: NDArray[np.float64]) -> Normalize:
    """Return one colour scale for all maps: 0 to 1, or their range where it is less than a half."""
    lowest, highest = float(values.min()), float(values.max())
    return Normalize(lowest, highest) if 0 < highest - lowest < 0.5 else Normalize(0, 1)
