"""The outline of a network: layers, frames around blocks and repeats, branches. Pictures and pages draw it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nnspec.spec_lang.check.canonical_text import in_short, scoped
from nnspec.spec_lang.check.spec import Fork, Node, Spec
from nnspec.spec_lang.vocabulary.layers.merge import Merge
from nnspec.spec_lang.vocabulary.shape import Shape

_LONGEST_PERIOD = 64  # the most parts of a repeat that is detected


@dataclass(frozen=True)
class LayerBox:
    """One layer: its text, the name and size of its weights where it has any, its output shape, and the layer itself.

    Of layers that are repeated and drawn once, `node` is the first.
    """

    text: str
    weights: str
    shape: Shape
    node: Node = field(compare=False)


@dataclass(frozen=True)
class Frame:
    """A block, a named group, or parts that are repeated and drawn once."""

    title: str
    parts: tuple["Element", ...]

    @property
    def shape(self) -> Shape:
        """The output shape."""
        return self.parts[-1].shape


@dataclass(frozen=True)
class Branches:
    """Branches from one output and the merge that joins them; an empty branch is `skip`, `node` is the merge."""

    branches: tuple[tuple["Element", ...], ...]
    joint: str
    shape: Shape
    node: Node = field(compare=False)


Element = LayerBox | Frame | Branches


@dataclass(frozen=True)
class _Unit:
    """A part, its name where it is a block or has weights, and a value that is equal for repetitions of the part."""

    part: Element
    name: str | None
    says: object


def outline(spec: Spec) -> tuple[Element, ...]:
    """Return the parts of a network whose shapes are known.

    Consecutive repetitions with equal texts and shapes become one frame with their number; those of a single layer do
    so from three on.
    """
    return tuple(unit.part for unit in _units(spec.network, ""))


def count(parts: Iterable[Element]) -> int:
    """Return the number of layers that are drawn."""
    total = 0
    for part in parts:
        match part:
            case LayerBox():
                total += 1
            case Frame(parts=inside):
                total += count(inside)
            case Branches(branches=branches):
                total += 1 + sum(map(count, branches))
    return total


def in_parameters(numbers: int) -> str:
    """Return a number of parameters in words: 1 parameter, 1,000 parameters."""
    return f"{numbers:,} parameter" if numbers == 1 else f"{numbers:,} parameters"


def _units(items: Iterable[Node | Fork], prefix: str) -> list[_Unit]:
    units: list[_Unit] = []
    for scope, inside in scoped(items, prefix):
        if scope is None:
            units += map(_unit, inside, [prefix] * len(inside))
        else:
            within = _units(inside, f"{prefix}{scope}/")
            frame = Frame(scope, tuple(unit.part for unit in within))
            units.append(_Unit(frame, scope, ("frame", *(unit.says for unit in within))))
    return _folded(units)


def _unit(item: Node | Fork, prefix: str) -> _Unit:
    if isinstance(item, Node):
        numbers = sum(parameter.size for parameter in item.parameters().values())
        own = item.name.removeprefix(prefix)
        weights = f"{own} · {in_parameters(numbers)}" if numbers else ""
        text = in_short(item.layer)
        says = (text, tuple(map(tuple, item.input_shapes)), tuple(item.output_shape))
        return _Unit(LayerBox(text, weights, item.output_shape, item), own if numbers else None, says)
    within = [_units(branch, prefix) for branch in item.branches]
    merge = item.merge.layer
    assert isinstance(merge, Merge)
    joint = f"{merge.word} {merge.called}"
    branches = tuple(tuple(unit.part for unit in branch) for branch in within)
    part = Branches(branches, joint, item.merge.output_shape, item.merge)
    return _Unit(part, None, (joint, *(tuple(unit.says for unit in branch) for branch in within)))


def _folded(units: Sequence[_Unit]) -> list[_Unit]:
    """Return units with repetitions folded into frames: those that save most units, of these the shortest period."""
    kinds: dict[object, int] = {}
    says = [kinds.setdefault(unit.says, len(kinds)) for unit in units]
    folded: list[_Unit] = []
    start = 0
    while start < len(units):
        best, spared = (1, 1), 0
        for period in range(1, min(_LONGEST_PERIOD, (len(units) - start) // 2) + 1):
            times = _times(says, start, period)
            least = 3 if period == 1 and isinstance(units[start].part, LayerBox) else 2
            if times >= least and period * (times - 1) > spared:
                best, spared = (period, times), period * (times - 1)
        period, times = best
        folded.append(units[start] if times == 1 else _repeated(units[start : start + period * times], period, times))
        start += period * times
    return folded


def _times(says: Sequence[int], start: int, period: int) -> int:
    """Return how often the `period` units at `start` occur consecutively."""
    first, times = says[start : start + period], 1
    while says[start + times * period : start + (times + 1) * period] == first:
        times += 1
    return times


def _repeated(units: Sequence[_Unit], period: int, times: int) -> _Unit:
    says = ("repeat", times, *(unit.says for unit in units[:period]))
    parts = tuple(unit.part for unit in _folded(units[:period]))
    if period > 1 or units[0].name is None:
        return _Unit(Frame(f"×{times}", parts), None, says)
    inside = parts[0].parts if isinstance(parts[0], Frame) else parts
    return _Unit(Frame(f"{units[0].name} … {units[-1].name}  ×{times}", inside), None, says)
