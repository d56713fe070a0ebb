"""How the tests of the pictures read a figure."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(thing: Any) -> list[str]:
    """All the words that are written anywhere in a figure or axes."""
    found = [text.get_text() for text in thing.findobj(Text)]
    return [text for text in found if text]


def title(figure: Figure) -> str:
    return figure.get_suptitle()


def size(figure: Figure) -> tuple[int, int]:
    """In pixels, width and height."""
    width, height = figure.get_size_inches() * figure.dpi
    return round(width), round(height)


def overhang(figure: Figure) -> float:
    """How far anything reaches over the edge of the laid out figure, in inches; 0 or less where all fits."""
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    return float(max(-box.x0, -box.y0, box.x1 - width, box.y1 - height))
