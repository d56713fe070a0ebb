"""The styles of the pictures: fonts, sizes and colours that colour-blind readers can distinguish.

A picture asks `current()` for its colours while it is drawn. This module knows no picture.
"""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from nnspec.runtime.views import STYLES, PictureError
from nnspec.spec_lang.report.escapes import escaped, escaped_lines

PAGE_WIDTH = 7.5  # inches: 900 pixels on a screen, the width of a README
SMALL_TEXT = 8.0  # points: the smallest text that is legible at 100 %
_TITLE_SIZE = 12  # points

_ON_WHITE = ("#0072B2", "#D55E00", "#009070", "#8B2F6B", "#3898D0", "#B98900", "#444444")
_ON_BLACK = ("#56B4E9", "#FF9E4A", "#35C796", "#E58FC1", "#F0E442", "#9FD3FF", "#C9B458")


@dataclass(frozen=True)
class Style:
    """Colours and sizes of one style. The palettes are those of Okabe & Ito (2008), with tints that suit thin lines.

    `dashes` are the patterns of lines in turn, for a style that is printed without colours.
    """

    name: str
    paper: str  # the background
    ink: str
    quiet: str  # secondary text: ticks, notes
    faint: str  # grids and frames
    shade: str  # the face of a frame
    colours: tuple[str, ...]
    diverging: str | Colormap  # from below 0 to above 0; 0 is the colour of the background
    shares: str | Colormap  # from the colour of the background at 0
    above: str = "red"  # the colour of large numbers in `diverging`, in a word
    probability: str = "magma"
    fonts: tuple[str, ...] = ("DejaVu Sans",)  # part of matplotlib, so the same glyphs everywhere
    dots_per_inch: int = 120
    dashes: tuple[Any, ...] = ("solid",)

    def dash(self, index: int) -> Any:
        """Return the pattern of the line of an index."""
        return self.dashes[index % len(self.dashes)]


def _through(*colours: str) -> Colormap:
    return LinearSegmentedColormap.from_list("nnspec", colours)


LIGHT = Style("light", "#ffffff", "#222222", "#6b6b6b", "#d9d9d9", "#f6f6f6", _ON_WHITE, "RdBu_r", "Blues")
_STYLES = {
    "light": LIGHT,
    "dark": Style(
        "dark", "#15181d", "#e8eaed", "#9aa3ad", "#3a414a", "#1e232a", _ON_BLACK,
        _through("#a8dcff", "#3d9ee0", "#1d4f78", "#15181d", "#7d3a10", "#f08030", "#ffd9b0"),
        _through("#15181d", "#123a5c", "#1f6fae", "#56b4e9", "#c4e6fb"), above="orange",
    ),
    "paper": Style(
        "paper", "#ffffff", "#000000", "#3c3c3c", "#cccccc", "#f4f4f4", _ON_WHITE, "RdBu_r", "Blues",
        fonts=("STIXGeneral", "DejaVu Sans"), dots_per_inch=300,
        dashes=("solid", (0, (6, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5))),
    ),
}  # fmt: skip

_chosen: ContextVar[Style] = ContextVar("style", default=LIGHT)


def current() -> Style:
    """Return the style in which pictures are drawn now."""
    return _chosen.get()


def find_style(name: str) -> Style:
    """Return a style by name. Raises PictureError."""
    if name not in _STYLES:
        raise PictureError(f"no style is called {name!r}: use {', '.join(STYLES[:-1])} or {STYLES[-1]}")
    return _STYLES[name]


def _settings(style: Style) -> dict[Any, Any]:
    return {
        "figure.dpi": style.dots_per_inch,
        "figure.constrained_layout.w_pad": 0.09,
        "figure.constrained_layout.h_pad": 0.06,
        "savefig.dpi": "figure",
        "figure.facecolor": style.paper,
        "savefig.facecolor": "auto",
        "axes.facecolor": style.paper,
        "font.family": list(style.fonts),
        "font.size": 10,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelsize": 10,
        "figure.titlesize": _TITLE_SIZE,
        "text.color": style.ink,
        "axes.labelcolor": style.ink,
        "axes.titlecolor": style.ink,
        "axes.edgecolor": style.quiet,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.axisbelow": True,
        "grid.color": style.faint,
        "grid.linewidth": 0.7,
        "xtick.color": style.quiet,
        "ytick.color": style.quiet,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "lines.linewidth": 1.8,
        "image.interpolation": "nearest",
        "text.parse_math": False,  # a dollar sign in a name is not mathematics
        "svg.hashsalt": "nnspec",  # names inside an SVG, random without it
        "pdf.fonttype": 42,
    }


@contextmanager
def styled(style: Style | None = None) -> Iterator[None]:
    """Draw in a style, the current one by default, while the context lasts; then restore the user's settings."""
    token = _chosen.set(style or current())
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_settings(current()))
            yield
    finally:
        _chosen.reset(token)


class Page(Figure):
    """A figure that keeps its style, whoever draws it and whenever: matplotlib makes some of its parts late."""

    def __init__(self, *arguments: Any, **options: Any):
        self.style = current()
        super().__init__(*arguments, **options)

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure in its style."""
        with styled(self.style):
            super().draw(renderer)


def page(height: float, title: str, width: float = PAGE_WIDTH) -> Page:
    """Return an empty figure of this width and height in inches, with its title at the upper left.

    A long title has several lines, and the figure is higher by those after the first.
    """
    lines = wrapped_title(title, width)
    figure = Page(figsize=(width, height + 0.2 * (lines.count("\n"))), layout="constrained")
    figure.suptitle(lines, x=0.01, ha="left")
    return figure


def wrapped_title(title: str, width: float) -> str:
    """Return a title in lines that fit a figure of `width` inches, control characters as escapes."""
    lines = []
    for line in escaped_lines(title).split("\n"):
        share = (width - 0.25) / max(text_width(line, _TITLE_SIZE), 0.01)  # of the line that fits
        lines.append(line if share >= 1 else textwrap.fill(line, int(0.97 * share * len(line)), break_on_hyphens=False))
    return "\n".join(lines)


def text_width(text: str, size: float) -> float:
    """Return the width in inches of a line of text, in the font of the style at `size` points."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width) / 72


def colour(index: int) -> tuple[float, float, float]:
    """Return the colour of an index: the palette in turn, then nearer to the background's opposite, and so on."""
    palette = current().colours
    turn, place = divmod(index, len(palette))
    red, green, blue = to_rgb(palette[place])
    shade = 0.55**turn
    return red * shade, green * shade, blue * shade


def tint(colour: str, strength: float = 0.18) -> tuple[float, float, float]:
    """Return a colour mixed into the background: its share is `strength`."""
    red, green, blue = (
        strength * own + (1 - strength) * behind
        for own, behind in zip(to_rgb(colour), to_rgb(current().paper), strict=True)
    )
    return red, green, blue


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


def in_lines(text: str, length: int, most: int) -> str:
    """Return a name in at most `most` lines of `length` characters, broken after a separator where there is one.

    What does not fit into the last line is left out around an ellipsis, as by `shortened`.
    """
    text = escaped(text)
    lines: list[str] = []
    while len(text) > length and len(lines) < most - 1:
        cuts = (max(text.rfind(sign, length // 3, length) for sign in signs) + 1 for signs in (" /,", "_", "-="))
        cut = next(filter(None, cuts), length)
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return "\n".join([*lines, shortened(text, length)])


def three_digits(value: float) -> str:
    """Return a number with three significant digits: 0.19 is 0.190, 153 is 153."""
    return f"{value:#.3g}".rstrip(".")
