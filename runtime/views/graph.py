"""The graph of a network: a box for each layer, branches side by side, blocks and repeats in frames."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from nnspec.runtime.views import PictureError, picture
from nnspec.runtime.views._style import SMALL_TEXT, current, page, text_width, tint
from nnspec.spec_lang.check.graph_outline import Branches, Element, Frame, LayerBox, count, in_parameters, outline
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.escapes import escaped
from nnspec.spec_lang.vocabulary.shape import Shape

_MOST = 300  # layers in one picture
_TALLEST = 8.0  # inches: the height at which a new column begins
_LETTERS = 9.0
# Everything below is in inches, as the units of the axes are.
_LINE, _PAD = 0.17, 0.08  # a line of text, and the room around it in a box
_GAP = 0.3  # between two parts: the arrow, and the shape beside it
_BESIDE, _APART, _COLUMNS_APART = 0.06, 0.2, 0.45  # text beside a line, branches, columns
_TITLE, _MARGIN = 0.42, 0.15


@picture("graph")
def graph(spec: Spec) -> Figure:
    """Draw the graph of a spec whose shapes are known, from top to bottom, in several columns where it is long.

    The shape of one sample is next to each arrow. Layers with weights are coloured, with their name and number of
    parameters. Repeated layers are drawn once, in a frame with their number; a frame with a name is a block or a named
    group. Raises PictureError for a network of more layers than a picture can show, and for one
    whose shapes are not known.
    """
    if spec.input is None:
        raise PictureError("the shape of a sample is not known: write a line such as input 28x28x1, or name the data")
    parts = outline(spec)
    drawn = count(parts)
    if drawn > _MOST:
        raise PictureError(
            f"the network has {drawn:,} layers once its repeats are drawn once, and a picture shows {_MOST} at most: "
            "nnspec plan lists them"
        )
    columns = _columns([_Pill("input", spec.input), *map(_shown, parts)])
    height = max(column.height + (_GAP if number else 0) for number, column in enumerate(columns))
    width = sum(column.width for column in columns) + _COLUMNS_APART * (len(columns) - 1)
    layers = sum(len(node.inputs) == 1 for node in spec.nodes)  # merges are no layers of a line
    counted = f"{layers:,} layer{'s' if layers != 1 else ''}"
    title = f"{escaped(spec.title)}: {counted}, {in_parameters(spec.parameter_count)}"
    across = max(width, text_width(title, 12)) + 2 * _MARGIN
    figure = page(height + _TITLE + _MARGIN, title)
    figure.set_layout_engine("none")
    figure.set_figwidth(across)
    total = figure.get_figheight()
    figure.suptitle(title, x=_MARGIN / across, y=1 - 0.1 / total, ha="left", va="top")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, across), ylim=(total, 0))
    left, before = _MARGIN, None
    for column in columns:
        axis = left + column.axis
        if before is not None:
            _turn(axes, before, left - _COLUMNS_APART / 2, axis, column.begins_headed)
        top = _TITLE if before is None else _TITLE + _GAP
        column.draw(axes, axis, top)
        before = axis, top + column.height
        left += column.width + _COLUMNS_APART
    return figure


class _Drawn(ABC):
    """A part with its size. A line enters at the top and leaves at the bottom, both at `axis` from its left edge.

    `headed` says whether the entering line ends in an arrow.
    """

    headed: ClassVar[bool] = False
    width: float
    height: float
    shape: Shape

    @property
    def axis(self) -> float:
        """Distance of the lines from the left edge; the middle by default."""
        return self.width / 2

    @abstractmethod
    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw the part with its axis at x and its top at y."""


class _Box(_Drawn):
    """A layer."""

    headed = True

    def __init__(self, layer: LayerBox):
        self.layer = layer
        self.shape = layer.shape
        self.width = max(text_width(layer.text, _LETTERS), text_width(layer.weights, SMALL_TEXT)) + 2 * _PAD
        self.height = _LINE * (2 if layer.weights else 1) + 1.2 * _PAD

    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw the text of the layer and, below it, its parameters."""
        face = tint(current().colours[0]) if self.layer.weights else current().paper
        _rounded(axes, x - self.axis, y, self.width, self.height, face)
        lines = [(self.layer.text, _LETTERS, current().ink), (self.layer.weights, SMALL_TEXT, current().quiet)]
        for number, (text, size, colour) in enumerate(lines if self.layer.weights else lines[:1]):
            middle = y + 0.6 * _PAD + _LINE * (number + 0.5)
            axes.text(x, middle, text, fontsize=size, color=colour, ha="center", va="center")


class _Pill(_Drawn):
    """The input, or the merge of branches."""

    headed = True

    def __init__(self, text: str, shape: Shape):
        self.text = text
        self.shape = shape
        self.width = text_width(text, SMALL_TEXT) + 2.5 * _PAD
        self.height = _LINE + 0.4 * _PAD

    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw text in a coloured pill."""
        _rounded(axes, x - self.axis, y, self.width, self.height, tint(current().colours[5]), self.height / 2)
        axes.text(x, y + self.height / 2, self.text, fontsize=SMALL_TEXT, color=current().ink, ha="center", va="center")


class _Sequence(_Drawn):
    """Parts below each other, an arrow with the shape between two of them, and what `ends` says after the last."""

    def __init__(self, parts: Sequence[_Drawn], ends: Literal["arrow", "turn"] | None = None):
        self.parts = parts
        self.ends = ends
        self.shape = parts[-1].shape
        beside = [_BESIDE + text_width(str(part.shape), SMALL_TEXT) for part in (parts if ends else parts[:-1])]
        left = max(part.axis for part in parts)
        self.width = left + max(*(part.width - part.axis for part in parts), *beside, 0)
        self._axis = left
        self.height = sum(part.height for part in parts) + _GAP * (len(parts) - (ends is None))

    @property
    def axis(self) -> float:
        """The common axis of its parts."""
        return self._axis

    @property
    def begins_headed(self) -> bool:
        """Whether a line into its first part ends in an arrow."""
        return self.parts[0].headed

    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw the parts from top to bottom."""
        for number, part in enumerate(self.parts):
            part.draw(axes, x, y)
            y += part.height
            following = self.parts[number + 1] if number + 1 < len(self.parts) else None
            if following is not None or self.ends:
                _line(axes, [(x, y), (x, y + _GAP)], headed=following.headed if following else self.ends == "arrow")
                _aside(axes, x, y + 0.42 * _GAP, str(part.shape))
                y += _GAP


class _Framed(_Drawn):
    """A frame around parts, with its title in the corner, left of the entering line."""

    def __init__(self, frame: Frame):
        self.frame = frame
        self.shape = frame.shape
        self.inside = _Sequence([_shown(part) for part in frame.parts])
        self._axis = max(self.inside.axis, text_width(frame.title, SMALL_TEXT) + _BESIDE) + _PAD
        self.width = self._axis + self.inside.width - self.inside.axis + _PAD
        self.height = self.inside.height + _LINE + 2.5 * _PAD

    @property
    def axis(self) -> float:
        """The axis of the parts inside."""
        return self._axis

    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw the frame, then the parts inside."""
        _rounded(axes, x - self.axis, y, self.width, self.height, current().shade)
        top, bottom = y + _LINE + 1.5 * _PAD, y + self.height - _PAD
        title = (x - self.axis + _PAD, y + 0.5 * _PAD + _LINE / 2)
        axes.text(*title, self.frame.title, fontsize=SMALL_TEXT, color=current().colours[1], ha="left", va="center")
        _line(axes, [(x, y), (x, top)], headed=self.inside.begins_headed)
        self.inside.draw(axes, x, top)
        _line(axes, [(x, bottom), (x, y + self.height)])


class _Fork(_Drawn):
    """Branches side by side between two bars, and their merge."""

    def __init__(self, fork: Branches):
        self.shape = fork.shape
        self.branches = [_Sequence([_shown(part) for part in branch]) if branch else None for branch in fork.branches]
        self.joint = _Pill(fork.joint, fork.shape)
        self.widths = [
            branch.width if branch else text_width("skip", SMALL_TEXT) + 2 * _BESIDE for branch in self.branches
        ]
        self.axes_inside = [branch.axis if branch else _BESIDE for branch in self.branches]
        self.ends = [_BESIDE + text_width(str(branch.shape), SMALL_TEXT) if branch else 0.0 for branch in self.branches]
        self.widths = [max(w, a + end) for w, a, end in zip(self.widths, self.axes_inside, self.ends, strict=True)]
        self.tallest = max((branch.height for branch in self.branches if branch), default=0.0)
        inner = sum(self.widths) + _APART * (len(self.widths) - 1)
        self.left = max(0.0, self.joint.axis - self._middle())
        self._axis = self.left + self._middle()
        self.width = max(self.left + inner, self._axis + self.joint.axis)
        self.height = 0.6 * _GAP + self.tallest + _GAP + 0.6 * _GAP + self.joint.height

    def _places(self) -> list[float]:
        """Return the distance of each branch's axis from the left edge of the first branch."""
        starts = [sum(self.widths[:number]) + _APART * number for number in range(len(self.widths))]
        return [start + axis for start, axis in zip(starts, self.axes_inside, strict=True)]

    def _middle(self) -> float:
        places = self._places()
        return (places[0] + places[-1]) / 2

    @property
    def axis(self) -> float:
        """The middle between the first and the last branch."""
        return self._axis

    def draw(self, axes: Axes, x: float, y: float) -> None:
        """Draw the upper bar, the branches, the lower bar, and the merge below it."""
        first = x - self._middle()
        places = [first + place for place in self._places()]
        top, bottom = y + 0.6 * _GAP, y + 0.6 * _GAP + self.tallest + _GAP
        fork, meet = y + 0.2 * _GAP, bottom
        _line(axes, [(x, y), (x, fork)])
        for bar in (fork, meet):
            _line(axes, [(places[0], bar), (places[-1], bar)])
        for place, branch in zip(places, self.branches, strict=True):
            if branch is None:
                _line(axes, [(place, fork), (place, meet)])
                _aside(axes, place, (fork + meet) / 2, "skip")
                continue
            _line(axes, [(place, fork), (place, top)], headed=branch.begins_headed)
            branch.draw(axes, place, top)
            _line(axes, [(place, top + branch.height), (place, meet)])
            _aside(axes, place, top + branch.height + 0.5 * _GAP, str(branch.shape))
        _line(axes, [(x, meet), (x, meet + 0.6 * _GAP)], headed=True)
        self.joint.draw(axes, x, meet + 0.6 * _GAP)


def _shown(part: Element) -> _Drawn:
    match part:
        case LayerBox():
            return _Box(part)
        case Frame():
            return _Framed(part)
        case Branches():
            return _Fork(part)


def _columns(parts: Sequence[_Drawn]) -> list[_Sequence]:
    """Return the parts in columns whose heights are as equal as their order allows."""
    total = sum(part.height + _GAP for part in parts)
    wanted = total / max(1, round(total / _TALLEST))
    columns: list[list[_Drawn]] = [[]]
    reached = 0.0
    for part in parts:
        if columns[-1] and reached + (part.height + _GAP) / 2 > wanted * len(columns):
            columns.append([])
        columns[-1].append(part)
        reached += part.height + _GAP
    return [_Sequence(column, ends="turn" if column is not columns[-1] else "arrow") for column in columns]


def _turn(axes: Axes, end: tuple[float, float], gutter: float, axis: float, headed: bool) -> None:
    """Draw a line from the end of a column to the top of the next one."""
    x, y = end
    _line(axes, [(x, y), (gutter, y), (gutter, _TITLE), (axis, _TITLE), (axis, _TITLE + _GAP)], headed)


def _rounded(axes: Axes, x: float, y: float, width: float, height: float, face: object, rounding: float = 0.06) -> None:
    shape = f"round,pad=0,rounding_size={rounding}"
    axes.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor=face, edgecolor=current().quiet, linewidth=0.8)
    )


def _line(axes: Axes, points: Sequence[tuple[float, float]], headed: bool = False) -> None:
    axes.plot(*zip(*points, strict=True), color=current().quiet, linewidth=0.9, solid_capstyle="butt", zorder=1.5)
    if headed:
        (x, y), tip = points[-2], points[-1]
        look = {
            "arrowstyle": "-|>,head_width=0.18,head_length=0.35",
            "color": current().quiet,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        axes.annotate("", tip, (x, y), arrowprops=look)


def _aside(axes: Axes, x: float, y: float, text: str) -> None:
    """Write small text to the right of a line."""
    axes.text(x + _BESIDE, y, text, fontsize=SMALL_TEXT, color=current().quiet, ha="left", va="center")
