"""How every picture looks: one set of fonts, sizes and colours, safe for colour-blind eyes, on white."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

WIDTH = 7.5  # inches: 900 pixels, the width of a README
DPI = 120

INK = "#222222"
QUIET = "#6b6b6b"  # second things: ticks, notes
FAINT = "#d9d9d9"  # grids and frames

# After Okabe & Ito (2008), which colour-blind eyes tell apart too; the light ones a shade darker, for thin lines and
# letters on white.
COLOURS = ("#0072B2", "#D55E00", "#008A64", "#B85C93", "#C08400", "#3D9ED6", "#7A6A00")
DIVERGING = "RdBu_r"  # blue below 0, white at 0, red above
PROBABILITY = "magma"  # from black at the lowest to nearly white

SMALL = 8.0  # the smallest letters that are read at 100 %

_RC: dict[Any, Any] = {
    "figure.dpi": DPI,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.constrained_layout.h_pad": 0.06,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so the same letters everywhere
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
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "nnspec",  # the names inside an SVG, otherwise drawn by lot
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in this style, from matplotlib's own defaults on, whatever the user's settings are; they come back after."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def page(height: float, title: str) -> Figure:
    """An empty figure of the common width, `height` inches high, with its title at the upper left."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def colour(index: int) -> tuple[float, float, float]:
    """The colour of the index-th thing: each of the palette in turn, then all again in a darker shade, and so on."""
    turn, place = divmod(index, len(COLOURS))
    red, green, blue = to_rgb(COLOURS[place])
    shade = 0.55**turn
    return red * shade, green * shade, blue * shade


def percent(share: float) -> str:
    """A share of 1 in words: 0.9721 is 97.2 %, and what is not quite all is never 100 %."""
    text = f"{100 * share:.1f} %"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    return {"100.0 %": "> 99.9 %", "0.0 %": "< 0.1 %"}.get(text, text)


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and end around an ellipsis, in `length` letters at most."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return text[: length - 1 - tail] + "…" + text[len(text) - tail :]


def three_digits(value: float) -> str:
    """A number to three digits: 0.19 is 0.190 beside its neighbours, and 153 needs no point."""
    return f"{value:#.3g}".rstrip(".")
