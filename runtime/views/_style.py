"""The style of every picture: fonts, sizes and colours that colour-blind readers can distinguish, on white."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nnspec.spec_lang.report.escapes import escaped, escaped_lines

PAGE_WIDTH = 7.5  # inches: 900 pixels, the width of a README
DPI = 120

INK = "#222222"
QUIET = "#6b6b6b"  # secondary text: ticks, notes
FAINT = "#d9d9d9"  # grids and frames

# The palette of Okabe & Ito (2008), which colour-blind readers can distinguish; the light colours are darker here, for
# thin lines and text on white.
COLOURS = ("#0072B2", "#D55E00", "#008A64", "#B85C93", "#C08400", "#3D9ED6", "#7A6A00")
DIVERGING = "RdBu_r"  # blue below 0, white at 0, red above
PROBABILITY = "magma"  # from black at the lowest to nearly white

SMALL_TEXT = 8.0  # points: the smallest text that is legible at 100 %

_RC: dict[Any, Any] = {
    "figure.dpi": DPI,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.constrained_layout.h_pad": 0.06,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # part of matplotlib, so the same glyphs everywhere
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "figure.titlesize": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "image.interpolation": "nearest",
    "text.parse_math": False,  # a dollar sign in a name is not mathematics
    "svg.hashsalt": "nnspec",  # names inside an SVG, random without it
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in this style and matplotlib's defaults while the context lasts; then restore the user's settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def page(height: float, title: str) -> Figure:
    """Return an empty figure of the common width and `height` inches, with its title at the upper left."""
    figure = Figure(figsize=(PAGE_WIDTH, height), layout="constrained")
    figure.suptitle(escaped_lines(title), x=0.01, ha="left")
    return figure


def colour(index: int) -> tuple[float, float, float]:
    """Return the colour of an index: the palette in turn, then the palette in a darker shade, and so on."""
    turn, place = divmod(index, len(COLOURS))
    red, green, blue = to_rgb(COLOURS[place])
    shade = 0.55**turn
    return red * shade, green * shade, blue * shade


def percent(share: float) -> str:
    """Return a fraction as a percentage: 0.9721 is 97.2 %; only 1 is 100 %, only 0 is 0 %."""
    text = f"{100 * share:.1f} %"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return {"100.0 %": "> 99.9 %", "0.0 %": "< 0.1 %"}.get(text, text)


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters: the text, or its beginning and end around an ellipsis.

    It is on one line, control characters as escapes.
    """
    text = escaped(text)
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return text[: length - 1 - tail] + "…" + text[len(text) - tail :]


def three_digits(value: float) -> str:
    """Return a number with three significant digits: 0.19 is 0.190, 153 is 153."""
    return f"{value:#.3g}".rstrip(".")
