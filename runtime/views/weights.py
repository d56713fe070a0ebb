"""The picture of the first layer's weights: an image for each filter or unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._sheet import frame, note, place, sheet
from nnspec.runtime.views._style import PAGE_WIDTH, SMALL_TEXT, current, page, shortened

_TILES = 64  # filters or units in one picture
_CHANNELS = 8  # rows, where each tile is one input channel
_COLUMNS = 12  # of filters where the rows are channels
_GAP, _NAME, _ROW_NAME, _BAR = 0.09, 0.22, 0.75, 1.1  # inches: between tiles, over them, left of a row, the scale
_LARGEST = 1.5  # inches, the longer side of a tile
_NAMED = 80  # rows of a matrix that have their names
_MATRIX = 128  # rows and columns of a layer without an image


@dataclass(frozen=True)
class _Tiles:
    """The tiles of a picture, (row, column) → image, the label over each, and the caption."""

    tiles: dict[tuple[int, int], NDArray[np.float64]]
    names: dict[tuple[int, int], str]
    caption: str
    row_names: tuple[str, ...] = ()


@picture("weights")
def weights(
    array: ArrayLike,
    input_shape: Sequence[int] | None = None,
    title: str = "First-layer weights",
    blocks: Sequence[str] = (),
    inputs: Sequence[str] = (),
    beside: ArrayLike | None = None,
) -> Figure:
    """Draw the weights of a first layer as images on one symmetric scale: blue below 0, white at 0, red above.

    `array` is (height, width, in, out) of a convolution, (steps, in, out) of one over time, or (in, out) of a dense or
    recurrent layer. With `input_shape` (height, width[, channels]) each unit of a dense layer is an image; without it
    the picture is the matrix itself. `blocks` are the names of equal blocks of its columns, as the gates of an lstm;
    `inputs` are those of its rows, as the columns of a table. A filter over time is an image with a row for each
    channel and a column for each step. A tile with three channels is in colour, grey at 0; with another number each
    channel has a row. At most 64 tiles are drawn, those with the largest norm, in order of norm, and the caption says
    so. The number over a tile is its index in the last axis. A few outliers do not stretch the scale; arrows at its
    ends mark them. `beside` are weights of the same shape with whose picture this one is compared, such as those before
    training: both pictures have the tiles with the largest norm in both together, and one scale.

    Raises PictureError for other shapes and for values that are not finite.
    """
    values = np.asarray(array, np.float64)
    if values.ndim not in (2, 3, 4) or 0 in values.shape:
        raise PictureError(
            "first-layer weights are (in, out) of a dense layer, (steps, in, out) or (height, width, in, out) of a "
            f"convolution, and these are {values.shape}"
        )
    if not np.isfinite(values).all():
        raise PictureError(
            "these weights hold NaN or infinite values, so the network has diverged: there is no picture"
        )
    other = values if beside is None else np.asarray(beside, np.float64)
    if other.shape != values.shape:
        raise PictureError(f"weights of {values.shape} cannot be compared with weights of {other.shape}")
    thing, axes = "unit" if values.ndim == 2 else "filter", ""
    if values.ndim == 3:
        values, other = (each.swapaxes(0, 1)[:, :, None] for each in (values, other))
        axes = "channels down, steps across"
    if values.ndim == 2 and input_shape is not None:
        values, other = (each.reshape(*_image_shape(input_shape, len(each)), each.shape[1]) for each in (values, other))
    if values.ndim == 2:
        return _matrix(values, title, blocks, inputs, other)
    chosen, caption = _chosen(values**2 + other**2, thing, axes)
    both = [_arranged(each, chosen, caption) for each in (values, other)]
    return _draw(both[0], title, _limit(np.stack([tile for one in both for tile in one.tiles.values()])))


def _image_shape(input_shape: Sequence[int], inputs: int) -> tuple[int, int, int]:
    height, width, channels = (*map(int, input_shape), 1)[:3] if len(input_shape) in (2, 3) else (0, 0, 0)
    if height * width * channels != inputs:
        raise PictureError(
            f"the layer has {inputs} inputs, and an image of {'x'.join(map(str, input_shape))} has another number"
        )
    return height, width, channels


def _chosen(squares: NDArray[np.float64], thing: str, axes: str) -> tuple[NDArray[np.intp], str]:
    """Return which filters have a tile, in their order, by the squares of their weights (height, width, in, out).

    The second is the caption that says so; `axes` names the axes of a tile in the caption.
    """
    channels, count = squares.shape[2:]
    shown = min(count, _COLUMNS if channels not in (1, 3) else _TILES)
    norms = np.sqrt(squares.sum(axis=(0, 1, 2)))  # (out,)
    chosen = np.arange(count) if shown == count else np.argsort(-norms, kind="stable")[:shown]
    caption = f"all {count} {thing}s" if shown == count else f"the {shown} {thing}s with the largest norm, of {count}"
    if count == 1:
        caption = f"the only {thing}"
    return chosen, caption + (f"; {axes}" if axes else "")


def _arranged(values: NDArray[np.float64], chosen: NDArray[np.intp], caption: str) -> _Tiles:
    """Lay out (height, width, in, out) as tiles: three channels or one in a grid, others a row for each channel."""
    channels, shown = values.shape[2], len(chosen)
    if channels not in (1, 3):
        rows = range(min(channels, _CHANNELS))
        tiles = {(c, i): values[:, :, c, out] for c in rows for i, out in enumerate(chosen)}
        names = {(0, i): str(out) for i, out in enumerate(chosen)}
        caption += f"; a row for each of {channels} input channels"
        if len(rows) < channels:
            caption += f", the first {len(rows)} drawn"
        return _Tiles(tiles, names, caption, tuple(f"channel {c}" for c in rows))
    across = _columns(shown)
    places = [divmod(i, across) for i in range(shown)]
    images = values[:, :, 0] if channels == 1 else values  # (height, width[, channels], out)
    tiles = {place: images[..., out] for place, out in zip(places, chosen, strict=True)}
    return _Tiles(tiles, {place: str(out) for place, out in zip(places, chosen, strict=True)}, caption)


def _columns(count: int) -> int:
    """Return the columns for `count` tiles: about 8 to 5 rows, and if possible a number that fills every row."""
    wide = np.sqrt(1.6 * count)
    even = [n for n in range(1, count + 1) if count % n == 0 and wide / 1.6 <= n <= wide * 1.6]
    return min(even, key=lambda n: abs(np.log(n / wide))) if even else int(np.ceil(wide))


def _draw(content: _Tiles, title: str, scale_of: tuple[float, bool]) -> Figure:
    tiles = np.stack(list(content.tiles.values()))
    in_colour = tiles.ndim == 4  # (tile, height, width, channels)
    limit, beyond = scale_of
    rows, columns = (max(place[axis] for place in content.tiles) + 1 for axis in (0, 1))
    # Everything below is in inches, the units of the axes.
    margin = _BAR + (_ROW_NAME if content.row_names else 0)
    scale = min((PAGE_WIDTH - margin) / columns - _GAP, _LARGEST) / max(tiles.shape[1:3])
    height, width = tiles.shape[1] * scale, tiles.shape[2] * scale
    down, right = height + (_GAP if content.row_names else _NAME), width + _GAP
    sheet_height, sheet_width = rows * down + (_NAME if content.row_names else 0), columns * right - _GAP

    figure = page(sheet_height + 0.75, title)
    figure.set_figwidth(
        min(PAGE_WIDTH, max(sheet_width + margin, 0.3 + 0.1 * len(title), 1.2 + 0.07 * len(content.caption)))
    )
    axes = sheet(figure, sheet_width, sheet_height)
    axes.set_title(content.caption, fontsize=SMALL_TEXT + 1, color=current().quiet, pad=4)
    shown: dict[str, Any] = {} if in_colour else {"cmap": current().diverging, "norm": Normalize(-limit, limit)}
    for (row, column), tile in content.tiles.items():
        box = (column * right, row * down + _NAME, width, height)
        place(axes, np.clip(0.5 + 0.5 * tile / limit, 0, 1) if in_colour else tile, box, **shown)
        frame(axes, box)
        if name := content.names.get((row, column)):
            note(axes, box[0] + width / 2, box[1] - 0.03, name)
    for row, name in enumerate(content.row_names):
        note(axes, -0.1, row * down + _NAME + height / 2, name, ha="right", va="center")
    _colour_bar(figure, axes, limit, beyond, in_colour)
    return figure


def _limit(values: NDArray[np.float64]) -> tuple[float, bool]:
    """Return the end of the colour scale, and whether some weights exceed it.

    It is the largest weight, or the 99.5th percentile if a few weights are so large that all others would look pale.
    """
    sizes = np.abs(values)
    largest, most = float(sizes.max()), float(np.percentile(sizes, 99.5))
    if largest > 1.5 * most > 0:
        return most, True
    return largest or 1.0, False


def _matrix(
    values: NDArray[np.float64],
    title: str,
    blocks: Sequence[str],
    names: Sequence[str],
    other: NDArray[np.float64],
) -> Figure:
    """Draw (in, out), each block of columns in axes of its own; no more than _MATRIX rows and columns.

    The scale is that of these weights and `other` together.
    """
    count, most = max(len(blocks), 1), _MATRIX // max(len(blocks), 1)
    inputs, units = len(values), values.shape[1] // count
    seen, beside = (each.reshape(inputs, count, units)[:_MATRIX, :, :most] for each in (values, other))
    limit, beyond = _limit(np.stack([seen, beside]))
    named = len(names) == inputs <= _NAMED
    figure = page(
        min(10.0, 1.6 + 0.15 * len(seen)) if named and len(seen) > 24 else min(6.0, 1.6 + 0.25 * len(seen)), title
    )
    panels: list[Axes] = list(figure.subplots(1, count, sharey=True, squeeze=False)[0])
    for at, axes in enumerate(panels):
        axes.imshow(seen[:, at], aspect="auto", cmap=current().diverging, vmin=-limit, vmax=limit)
        axes.spines[:].set_visible(True)
        axes.set_xlabel(f"{blocks[at]}, unit" if count > 1 else "unit")
        for axis, number, ticks in ((axes.xaxis, seen.shape[2], 16 // count), (axes.yaxis, len(seen), 16)):
            axis.set_major_locator(
                MaxNLocator(min(number, ticks // (1 + (number > ticks))), integer=True, min_n_ticks=1)
            )
    if named:
        panels[0].set_yticks(range(inputs), [shortened(name, 32) for name in names], fontsize=SMALL_TEXT)
    else:
        panels[0].set_ylabel("input")
    cut = [
        f" (the first {shown} drawn)" if number > shown else "" for number, shown in ((inputs, _MATRIX), (units, most))
    ]
    caption = f"{inputs} {'input' if inputs == 1 else 'inputs'}{cut[0]} to {units} units{cut[1]}"
    panels[0].set_title(
        caption + (", a panel for each gate" if count > 1 else ""), fontsize=SMALL_TEXT + 1, color=current().quiet
    )
    _colour_bar(figure, panels, limit, beyond, False)
    return figure


def _colour_bar(figure: Figure, axes: Axes | list[Axes], limit: float, beyond: bool, in_colour: bool) -> None:
    colours = ScalarMappable(Normalize(-limit, limit), "gray" if in_colour else current().diverging)
    first = axes[0] if isinstance(axes, list) else axes
    length = first.get_position().height * figure.get_figheight()  # inches
    bar = figure.colorbar(
        colours,
        ax=axes,
        aspect=length / 0.15,
        pad=0.03,
        panchor=False,
        ticks=MaxNLocator(5),
        extend="both" if beyond else "neither",
        extendfrac=0.03,
    )
    bar.ax.spines[:].set_visible(False)
    bar.set_label("weight, each of red, green, blue" if in_colour else "weight")
