"""Which layers of a network patches are followed through, how that ends, and which layers remain.

patch_rules.py knows the layers; this module knows how deep patches are worth following.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nnspec.runtime.compiler.rewrites import pool_first
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.explain.patch_ends import PatchEnd
from nnspec.runtime.explain.patch_rules import ImageShape, PatchLevel, StepBuilder, end_of, level_of
from nnspec.runtime.explain.patches import AxisGroups, AxisWindow, position_groups
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import INPUT

MAX_SHARE = 0.5
"""The share of an image up to which patches are followed: a cell costs up to twice as much in a patch."""


@dataclass(frozen=True)
class PatchStack:
    """The layers that an occluder's patches pass through.

    They pass through `levels`, one after another, and end in the layer `end`. Where `end` is None they are pasted into
    their images. `make_end` makes the end of the former kind. `rest` are the remaining layers. `groups` are the
    positions of the occluder along rows and columns.
    """

    image: ImageShape
    levels: tuple[PatchLevel, ...]
    end: ScheduledNode | None
    make_end: Callable[[StepBuilder, int, ImageShape], PatchEnd] | None
    rest: tuple[ScheduledNode, ...]
    groups: AxisGroups

    def images(self) -> list[ImageShape]:
        """Return the shape of the image at each depth, the sample first."""
        return [self.image, *(level.image for level in self.levels)]

    def windows(self, axis: int) -> list[AxisWindow]:
        """Return the window of each level along the rows (0) or columns (1)."""
        return [level.windows[axis] for level in self.levels]


def build_stack(
    network: Network,
    image: ImageShape,
    window: tuple[int, int],
    stride: tuple[int, int],
    share: float = MAX_SHARE,
) -> PatchStack | None:
    """Return the stack of a network, as deep as patches are worth following; None where they are not at all.

    Arguments:
        network: the network.
        image: the shape of a sample as an image.
        window: rows and columns of the occluder.
        stride: rows and columns by which it moves.
        share: patches are followed while they cover less than this share of the image.
    """
    nodes, chain = _chain(network)
    levels: list[PatchLevel] = []
    made, flat = image, network.program.graph.input_shape.as_image() != image
    for node in nodes[:chain]:
        level = level_of(node, made, flat)
        if level is None:
            break
        levels.append(level)
        made, flat = level.image, node.output_shape.as_image() != level.image
    depth = _worthwhile_depth(image, levels, window, stride, share)
    if depth is None:
        return None
    make_end = end_of(nodes[depth], flat) if depth == len(levels) and depth < chain else None
    kept = tuple(levels[:depth])
    if make_end is None and not any(level.reads_neighbours for level in kept):
        return None
    end = nodes[depth] if make_end is not None else None
    rest = tuple(nodes[depth + (end is not None) :])
    return PatchStack(image, kept, end, make_end, rest, _groups(image, kept, window, stride))


def _chain(network: Network) -> tuple[Sequence[ScheduledNode], int]:
    """Return the nodes, and how many of the first form a chain: each is read by the next one only."""
    schedule = ExecutionSchedule.of(network.program.graph, network.spec.loss, 1, False, {}, {})
    nodes = pool_first(schedule).nodes
    former, length = INPUT, 0
    for node in nodes:
        if node.inputs != (former,) or sum(former in other.inputs for other in nodes) != 1:
            break
        former, length = node.name, length + 1
    return nodes, length


def _worthwhile_depth(
    image: ImageShape, levels: Sequence[PatchLevel], window: tuple[int, int], stride: tuple[int, int], share: float
) -> int | None:
    """Return how many levels have patches of less than a share of their image; None where the occluder has not."""
    found = _groups(image, levels, window, stride)
    for depth, (height, width, _) in enumerate([image, *(level.image for level in levels)]):
        tall, wide = (max(group.sizes[depth] for group in groups) for groups in found)
        if tall * wide >= share * height * width:
            return depth - 1 if depth else None
    return len(levels)


def _groups(
    image: ImageShape, levels: Sequence[PatchLevel], window: tuple[int, int], stride: tuple[int, int]
) -> AxisGroups:
    rows, columns = (
        position_groups(image[axis], window[axis], stride[axis], [level.windows[axis] for level in levels])
        for axis in (0, 1)
    )
    return rows, columns
