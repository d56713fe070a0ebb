"""The picture of where a classifier looks: images with their occlusion maps, by class."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.explain.occlusion import SCALES, as_pair, class_average, map_shape
from nnspec.runtime.explain.scales import overturned
from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import Box, frame, note, place, shades, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, in_lines, page, shortened, text_width

ROWS = 10  # on a page
ACROSS = 4  # the most images in a row
_HEIGHT = 10.4  # inches of a page
_NAME = 14  # letters of a class's name
_PAIR, _GAP, _WORDS, _BAR = 0.05, 0.16, 0.2, 1.0  # inches: in a pair, between pairs, a line over a tile, the scale
_HEADER, _FOOT, _TITLE = 0.34, 0.15, 0.6  # inches: heads of columns, a line of the footnote, the title
_TALLEST = 2.0  # inches, of a tile
_MEANING = {
    "probability": "probability of the class",
    "log_odds": "log-odds of the class, ln(p / (1 − p)),",
    "drop": "drop of the log-odds of the class, ln(p / (1 − p)),",
}


@dataclass(frozen=True)
class _Windows:
    """The windows of the maps: their size, their stride, the value that covers them, and what the maps show."""

    size: tuple[int, int]
    stride: tuple[int, int]
    baseline: float | str
    scale: str

    def __str__(self) -> str:
        rows, columns = self.size
        value = self.baseline if isinstance(self.baseline, str) else f"{self.baseline:g}"
        steps = "at every position" if self.stride == (1, 1) else "in steps of {}x{}".format(*self.stride)
        return f"{_MEANING[self.scale]} with a window of {rows}x{columns} set to {value}, {steps}"


@dataclass(frozen=True)
class _Material:
    """What is drawn: images (image, height, width, channels) and what belongs to each, (image, …)."""

    images: NDArray[Any]
    maps: NDArray[np.float64]
    labels: NDArray[Any]
    probabilities: NDArray[np.float64] | None
    captions: Sequence[str] | None


@dataclass(frozen=True)
class _Row:
    """Some images of a class; `average` is that of all maps of the class, on its first row."""

    label: int
    images: list[int]
    average: NDArray[np.float64] | None


@dataclass(frozen=True)
class _Layout:
    """Positions on the sheet in inches: `unit` is a pixel, `tile` (height, width), `names` the margin for names."""

    windows: _Windows
    unit: float
    tile: tuple[float, float]
    names: float
    words: float  # over a tile
    across: int  # pairs of image and map
    sheet: tuple[float, float]  # width, height

    def box(self, row: int, column: int) -> Box:
        """Return the box of an image (even columns) or of its map (odd columns); pairs are side by side."""
        height, width = self.tile
        pair, second = divmod(column, 2)
        left = self.names + pair * (2 * width + _PAIR + _GAP) + second * (width + _PAIR)
        return left, _HEADER + row * (height + self.words) + self.words, width, height

    def map_box(self, row: int, column: int, cells: tuple[int, ...]) -> Box:
        """Return the box of a map on its image: each cell is centred on its window and as large as a step."""
        left, top, _, _ = self.box(row, column)
        size, step = self.windows.size, self.windows.stride
        first = [(size[axis] - step[axis]) / 2 * self.unit for axis in (0, 1)]
        return left + first[1], top + first[0], cells[1] * step[1] * self.unit, cells[0] * step[0] * self.unit


def page_count(labels: ArrayLike, across: int = ACROSS) -> int:
    """Return the number of pages that images with these labels fill, `across` in a row."""
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return -(-int((-(-counts // across)).sum()) // ROWS)


def finding(title: str, maps: ArrayLike, probabilities: ArrayLike, window: tuple[int, int]) -> str:
    """Return the title of a picture of maps of probabilities: of how many images one covered window is decisive."""
    turned, count = overturned(np.asarray(maps), np.asarray(probabilities))
    if not count:
        return f"Where {title} looks"
    covering = f"{title}: covering one window of {window[0]}x{window[1]}"
    if not turned:
        return f"{covering} leaves {'the image' if count == 1 else f'all {count} images'} above a probability of 0.5"
    which = "the image" if count == 1 else f"{turned} of {count} images"
    return f"{covering} takes {which} to a probability of 0.5 or less"


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
    scale: str = "probability",
    captions: Sequence[str] | None = None,
    of_label: str = "class",
    across: int = ACROSS,
    page_number: int = 0,
    title: str = "Where the network looks",
) -> Figure:
    """Draw the images by class, each with its map, and the average of the maps of a class.

    Arguments:
        images: (image, height, width[, channels]); three channels are drawn in colour, one in grey, any other number
            channel by channel.
        maps, labels: (image, row, column), what `occlude` returns with this `scale`, and (image,), their classes.
        window, stride, baseline, classes: the arguments of `occlude`, for the title; names for the labels.
        probabilities: (image,), those of the whole images, for the captions.
        captions: a name for each image, such as its file's.
        of_label: what the labels are: "true class", "predicted class".
        across, page_number: the images in a row, and the page from 0, ten rows each (see `page_count`).

    All maps of a page share one colour scale, which the colour bar states: probabilities 0 to 1, or the range of the
    maps where it is less than a half; log-odds from the lowest to the highest; drops symmetric about 0, red where the
    network needs what is covered. A few outliers do not stretch the scale; arrows at its ends mark them. A value is
    drawn at the centre of its window, so a map is a little smaller than its image.

    Raises PictureError for shapes that do not match and for a page that does not exist, OcclusionError for a window or
    a stride that does not fit.
    """
    if scale not in SCALES:
        raise PictureError(f"no scale is called {scale!r}: use probability, log_odds or drop")
    windows = _Windows(as_pair(window, "window"), as_pair(stride, "stride"), baseline, scale)
    material = _checked(images, maps, labels, probabilities, captions, windows)
    if across < 1:
        raise PictureError(f"across must be 1 or more, not {across}")
    pages = page_count(material.labels, across)
    if not 0 <= page_number < pages:
        raise PictureError(f"page {page_number} is not among the {pages} pages, counted from 0")
    rows = _rows(material, across)[page_number * ROWS : (page_number + 1) * ROWS]
    names = _names(rows, classes)
    drawn = [index for row in rows for index in row.images]
    look, beyond = _look(material.maps[drawn], scale)
    shown = shades(material.images[drawn])
    footnote = "\n".join(filter(None, (_footnote(material, look["norm"], scale), shown.note)))
    of_pages = f" (page {page_number + 1} of {pages})" if pages > 1 else ""
    layout = _layout(material, rows, names, windows, 4 * _FOOT)
    footnote = _wrapped(footnote, layout.sheet[0], SMALL_TEXT)
    layout = _layout(material, rows, names, windows, _FOOT * (1.5 + footnote.count("\n")))
    heading = _wrapped(f"{windows}{of_pages}", layout.sheet[0], SMALL_TEXT + 1)
    figure = page(layout.sheet[1] + _TITLE + 0.16 * (1 + heading.count("\n")), title, layout.sheet[0] + _BAR)
    axes = sheet(figure, *layout.sheet)
    axes.set_title(heading, fontsize=SMALL_TEXT + 1, color=current().quiet)
    following = iter(shown.pixels)
    for at, (row, name) in enumerate(zip(rows, names, strict=True)):
        pixels = [next(following) for _ in row.images]
        _draw_row(axes, material, row, name, pixels, shown.look, layout, at, look)
    _explain(figure, axes, layout, look, footnote, of_label, beyond)
    return figure


def _draw_row(
    axes: Axes, material: _Material, row: _Row, name: str, pixels: Sequence[NDArray[Any]], of_images: Mapping[str, Any],
    layout: _Layout, at: int, look: dict[str, Any],
) -> None:  # fmt: skip
    """Draw the images of a class, each with its map, and the average of its maps."""
    _, top, _, height = layout.box(at, 0)
    side = layout.names - 0.1, top + height / 2
    note(axes, *side, name, ha="right", va="center", fontsize=SMALL_TEXT + 2, color=current().ink)
    for column, (index, image) in enumerate(zip(row.images, pixels, strict=True)):
        place(axes, image, layout.box(at, 2 * column), **of_images)
        frame(axes, layout.box(at, 2 * column))
        if material.captions is not None:
            _caption(axes, material.captions[index], layout, (at, 2 * column))
        _draw_map(axes, material, index, layout, (at, 2 * column + 1), look)
    if row.average is not None:
        _draw_average(axes, row.average, layout, (at, 2 * layout.across), look)


def _checked(
    images: ArrayLike,
    maps: ArrayLike,
    labels: ArrayLike,
    probabilities: ArrayLike | None,
    captions: Sequence[str] | None,
    windows: _Windows,
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
    if captions is not None and len(captions) != len(samples):
        raise PictureError(f"{len(samples)} images need as many captions, and there are {len(captions)}")
    pixels = samples[..., None] if samples.ndim == 3 else samples
    return _Material(pixels, answers, which, before, captions)


def _rows(material: _Material, across: int) -> list[_Row]:
    """Return the rows of all pages: those of a class one below the other, in the order of the classes."""
    rows = []
    for label, average in class_average(material.maps, material.labels).items():
        own = np.flatnonzero(material.labels == label).tolist()
        parts = [own[start : start + across] for start in range(0, len(own), across)]
        rows += [_Row(label, part, None if number else np.asarray(average)) for number, part in enumerate(parts)]
    return rows


def _names(rows: list[_Row], classes: Sequence[str] | None) -> list[str]:
    """Return the name of each row's class, "" where the row above has it."""
    most = max(row.label for row in rows)
    if classes is not None and most >= len(classes):
        raise PictureError(f"label {most} has no name: there are {len(classes)} names")
    names = [in_lines(str(row.label if classes is None else classes[row.label]), _NAME, 2) for row in rows]
    return ["" if at and rows[at - 1].label == row.label else names[at] for at, row in enumerate(rows)]


def _layout(material: _Material, rows: list[_Row], names: list[str], windows: _Windows, foot: float) -> _Layout:
    """Return the largest layout that fits the page; no tile is higher than `_TALLEST`."""
    image = material.images.shape[1:3]
    across = max(len(row.images) for row in rows)
    side = max(0.15 + 0.085 * max(len(line) for name in names for line in name.split("\n")), 0.62)
    words = _WORDS
    free_width = PAGE_WIDTH - side - _BAR - across * (_PAIR + _GAP)
    free_height = (_HEIGHT - _TITLE - _HEADER - foot) / len(rows) - words
    unit = min(free_width / (2 * across + 1) / image[1], min(free_height, _TALLEST) / image[0])
    height, width = image[0] * unit, image[1] * unit
    sheet_width = side + across * (2 * width + _PAIR + _GAP) + width
    sheet_height = _HEADER + len(rows) * (height + words) + foot
    return _Layout(windows, unit, (height, width), side, words, across, (sheet_width, sheet_height))


def _draw_map(
    axes: Axes, material: _Material, index: int, layout: _Layout, at: tuple[int, int], look: dict[str, Any]
) -> None:
    values = material.maps[index]
    whole = None if material.probabilities is None else probability_in_words(material.probabilities[index])
    match layout.windows.scale:
        case "probability":
            words = f"{whole} → {values.min():.2f}" if whole else f"lowest {values.min():.2f}"
        case "log_odds":
            words = f"{whole} · {values.min():.1f}" if whole else f"lowest {values.min():.1f}"
        case _:
            words = f"{whole} · {values.max():.1f}" if whole else f"most {values.max():.1f}"
    _place_map(axes, values, layout, at, look, words)


def _draw_average(axes: Axes, values: NDArray[Any], layout: _Layout, at: tuple[int, int], look: dict[str, Any]) -> None:
    match layout.windows.scale:
        case "drop":
            words = f"most {values.max():.1f}"
        case scale:
            words = f"lowest {values.min():.{2 if scale == 'probability' else 1}f}"
    _place_map(axes, values, layout, at, look, words)


def _place_map(
    axes: Axes, values: NDArray[Any], layout: _Layout, at: tuple[int, int], look: dict[str, Any], words: str
) -> None:
    left, top, width, _ = layout.box(*at)
    edge = frame(axes, layout.box(*at))
    place(axes, values, layout.map_box(*at, values.shape), **look).set_clip_path(edge)
    note(axes, left + width / 2, top - 0.02, words)


def _caption(axes: Axes, words: str, layout: _Layout, at: tuple[int, int]) -> None:
    left, top, width, _ = layout.box(*at)
    note(axes, left, top - 0.02, shortened(words, max(int(width / 0.062), 6)), ha="left")


def probability_in_words(value: float) -> str:
    """Return a probability with two digits: 1.00 only where it is 1 to all digits of the network, else > 0.99."""
    return "> 0.99" if 0.995 <= value < 1 else "< 0.01" if 0 < value < 0.005 else f"{value:.2f}"


def _footnote(material: _Material, norm: Normalize, scale: str) -> str:
    """Return what the numbers over the maps are, and in a second line what could mislead the reader."""
    whole = "" if material.probabilities is None else "the probability of the whole image, and "
    extreme = "the largest drop" if scale == "drop" else "the lowest value with a window covered"
    words = f"Over a map: {whole}{extreme}."
    if scale == "drop":
        return f"{words} {current().above.capitalize()}: the network needs what is covered; blue: it hinders."
    if scale == "probability" and norm.vmin:
        return f"{words}\nColours span {norm.vmin:.2g} to {norm.vmax:.2g} only."
    return words


def _explain(
    figure: Figure, axes: Axes, layout: _Layout, look: dict[str, Any], footnote: str, of_label: str, beyond: str
) -> None:
    """Draw the heads of the columns, the footnote and the colour scale."""
    heads = [(column, words) for column, words in ((0, "image"), (1, "map"), (2 * layout.across, "average"))]
    for column, words in heads:
        left, _, width, _ = layout.box(0, column)
        note(axes, left + width / 2, _HEADER - 0.04, words, fontsize=SMALL_TEXT + 1, color=current().ink)
    look_of_head: dict[str, Any] = {"fontsize": SMALL_TEXT, "color": current().ink, "linespacing": 1.05}
    note(axes, 0, _HEADER - 0.04, of_label.replace(" ", "\n", 1), ha="left", **look_of_head)
    note(axes, 0, layout.sheet[1], footnote, ha="left")
    length = min(layout.sheet[1], 4.0)  # inches
    shape: dict[str, Any] = {"aspect": length / 0.14, "shrink": length / layout.sheet[1], "pad": 0.02, "panchor": False}
    bar = figure.colorbar(ScalarMappable(**look), ax=axes, extend=beyond, extendfrac=0.03, **shape)
    bar.set_label({"drop": "drop of the log-odds", "log_odds": "log-odds"}.get(layout.windows.scale, "probability"))


def _wrapped(text: str, width: float, size: float) -> str:
    """Return a text in lines of `width` inches."""
    return "\n".join(
        textwrap.fill(line, max(int(width * len(line) / text_width(line, size)) - 2, 20)) for line in text.split("\n")
    )


def _look(values: NDArray[np.float64], scale: str) -> tuple[dict[str, Any], str]:
    """Return the colours of all maps, and at which ends of the scale values are cut off, as matplotlib names them."""
    lowest, highest = float(values.min()), float(values.max())
    if scale == "drop":
        most = float(np.abs(values).max()) or 1.0
        limit = float(np.percentile(np.abs(values), 99.5))
        cut = most > 1.5 * limit > 0
        limit = limit if cut else most
        return {"cmap": current().diverging, "norm": Normalize(-limit, limit)}, "both" if cut else "neither"
    if scale == "log_odds":
        span = highest - lowest or 1.0
        low = float(np.percentile(values, 0.5))
        cut = low - lowest > 0.33 * span
        norm = Normalize(low if cut else lowest, max(highest, lowest + 1e-6))
        return {"cmap": current().probability, "norm": norm}, "min" if cut else "neither"
    narrow = 0 < highest - lowest < 0.5
    norm = Normalize(lowest, highest) if narrow else Normalize(0, 1)
    return {"cmap": current().probability, "norm": norm}, "neither"
