"""Pictures of words in SVG: shapes as boxes, functions as curves.

A picture has the colour of the text around it where a page holds it, and of the screen where it is a file of its own.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import log2, sqrt

from nnspec.spec_lang.vocabulary.shape import Shape
from tools.reference.shapes import Case

STYLE = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#d1d7e0}}</style>"
"""The colours of a picture that is shown by itself. Pages that hold it leave this out."""

FONT = 'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="12" fill="currentColor"'
FILL = 'fill="#4f8ff7" fill-opacity="0.22" stroke="currentColor" stroke-width="1"'
RULE = 'stroke="currentColor"'
WINDOW = 'fill="#f59e0b" fill-opacity="0.55" stroke="#f59e0b" stroke-width="1.5"'
LETTER = 7.3
"""The width of a letter of this font."""
SHEET = 5
"""The distance of two sheets of an image, which are its channels."""
GAP = 14


def case_picture(case: Case) -> str:
    """Return the shapes that go into a stage and come out of it, an arrow between them under the stage's text."""
    inputs = [_Box(shape, case.window) for shape in case.inputs]
    output = _Box(case.output, (1,) * len(case.window))
    left = max(box.width for box in inputs)
    arrow = max(64.0, len(case.text) * LETTER + 8)
    tall = sum(box.height for box in inputs) + GAP * (len(inputs) - 1)
    height = max(tall, output.height, 40)
    width = left + arrow + output.width + 2 * GAP
    parts, y = [], (height - tall) / 2
    for box in inputs:
        parts.append(box.at((left - box.width) / 2, y))
        y += box.height + GAP
    middle = height / 2
    parts += [
        f'<path d="M{left + GAP:.1f} {middle:.1f}h{arrow - 1:.1f}m-6 -4l6 4l-6 4" fill="none" stroke="currentColor"/>',
        _text(left + GAP + arrow / 2, middle - 8, case.text),
        output.at(left + arrow + 2 * GAP, (height - output.height) / 2),
    ]
    return _svg(width, height, description(case), parts)


def description(case: Case) -> str:
    """Return in words what the picture of a case shows: "28x28x1 → conv 3x3 x8 → 26x26x8"."""
    return f"{' and '.join(shape.written() for shape in case.inputs)} → {case.text} → {case.output.written()}"


def curve_picture(title: str, points: Sequence[tuple[float, float]], across: str, up: str) -> str:
    """Return a curve through (x, y) with both axes named and the ends of both ranges written."""
    width, height, left, below = 220.0, 120.0, 48.0, 30.0
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(*ys, 0.0), max(ys)
    scale = height / ((high - low) or 1)
    at = [(left + (x - xs[0]) / (xs[-1] - xs[0]) * width, 8 + (high - y) * scale) for x, y in points]
    zero = 8 + high * scale
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
    parts = [
        f'<path d="M{left} 8v{height}M{left} {zero:.1f}h{width}" fill="none" stroke="currentColor" opacity="0.4"/>',
        f'<path d="M{line}" fill="none" stroke="#4f8ff7" stroke-width="2"/>',
        *(_text(left - 6, y + 4, _number(value), "end") for value, y in ((high, 8.0), (low, 8 + height))),
        _text(left, 8 + height + 16, _number(xs[0])),
        _text(left + width, 8 + height + 16, _number(xs[-1]), "end"),
        _text(left + width / 2, 8 + height + 16, across),
        _text(left + 6, 16, up, "start"),
    ]
    return _svg(left + width + 6, 8 + height + below, title, parts)


class _Box:
    """A shape as a box with its sizes written below: sheets of an image, columns of a sequence, cells of a row."""

    def __init__(self, shape: Shape, window: tuple[int, ...]):
        self.label = str(shape)
        image = shape.as_image()
        if image is not None:
            self.parts, wide, tall = _sheets(image, window)
        elif len(shape) == 2:
            self.parts, wide, tall = _columns(shape, window)
        else:
            self.parts, wide, tall = _cells(shape)
        self.inner, self.width = wide, max(wide, len(self.label) * LETTER)
        self.height = tall + 18

    def at(self, x: float, y: float) -> str:
        """Return the box with its upper left corner at a place."""
        label = _text(self.width / 2, self.height - 3, self.label)
        middle = (self.width - self.inner) / 2
        inner = f'<g transform="translate({middle:.1f} 0)">{"".join(self.parts)}</g>'
        return f'<g transform="translate({x:.1f} {y:.1f})">{inner}{label}</g>'


def _sheets(image: Shape, window: tuple[int, ...]) -> tuple[list[str], float, float]:
    """A sheet for each channel, or some of them where they are many, the first in front with the window on it."""
    tall, wide = (_side(image[axis]) for axis in (0, 1))
    count = min(1 + round(log2(image[2])), 7) if image[2] > 1 else 1
    back = SHEET * (count - 1)
    parts = [_rectangle(SHEET * (count - 1 - n), SHEET * n, wide, tall, FILL) for n in range(count)]
    if window:
        rows, columns = (*window, *window)[:2]
        size = (max(wide * columns / image[1], 3), max(tall * rows / image[0], 3))
        parts.append(_rectangle(0, back, min(size[0], wide), min(size[1], tall), WINDOW))
    return parts, wide + back, tall + back


def _columns(shape: Shape, window: tuple[int, ...]) -> tuple[list[str], float, float]:
    """A column for each step, or for some of them where they are many, as tall as a step has numbers."""
    steps, tall = min(shape[0], 24), _side(shape[1])
    each = max(4.0, min(10.0, 110 / steps))
    rules = "".join(f"M{each * n:.1f} 0v{tall:.1f}" for n in range(1, steps))
    parts = [_rectangle(0, 0, each * steps, tall, FILL), f'<path d="{rules}" {RULE}/>']
    if window:
        parts.append(_rectangle(0, 0, each * min(window[0], steps), tall, WINDOW))
    return parts, each * steps, tall


def _cells(shape: Shape) -> tuple[list[str], float, float]:
    """A cell for each number, or for some of them where they are many, below one another."""
    count = min(shape.size, 12)
    each = min(12.0, 84 / count)
    rules = "".join(f"M0 {each * n:.1f}h12" for n in range(1, count))
    return [_rectangle(0, 0, 12, each * count, FILL), f'<path d="{rules}" {RULE}/>'], 12, each * count


def _side(size: int) -> float:
    return max(8.0, min(88.0, 60 * sqrt(size / 28)))


def _rectangle(x: float, y: float, wide: float, tall: float, look: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" {look}/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """Return a picture with a margin of two pixels, its title for readers that do not see it."""
    wide, tall = width + 4, height + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {wide:.0f} {tall:.0f}" width="{wide:.0f}" '
        f'height="{tall:.0f}" role="img" aria-label="{escape(title)}">{STYLE}<g {FONT}>{"".join(parts)}</g></svg>\n'
    )
