"""Which layers of a network an occluder's patches are followed through, how that ends, and what comes behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nnspec.runtime.compiler.rewrites import pool_first
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.explain.patches import Glance, Run, runs
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.activation import Activation, Softmax
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, MaxPool
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Reshape

Image = tuple[int, int, int]
"""Height, width, channels."""

WORTH = 0.5
"""The share of an image up to which patches are followed: a cell costs up to twice as much in a patch."""


class Level(NamedTuple):
    """A layer that patches pass: how it looks at the rows and columns of its input, and the image that it makes.

    A row of numbers counts as the image that it was flattened from.
    """

    node: ScheduledNode
    glances: tuple[Glance, Glance]
    image: Image


@dataclass(frozen=True)
class Stack:
    """What becomes of an occluder's patches.

    They pass through `levels`, one after another, and end in the layer `end`, a dense one or a mean, or, where that is
    None, are pasted into their images. `rest` are the layers behind. `runs` are the kinds of places along rows and
    columns.
    """

    image: Image
    levels: tuple[Level, ...]
    end: ScheduledNode | None
    rest: tuple[ScheduledNode, ...]
    runs: tuple[Sequence[Run], Sequence[Run]]

    def images(self) -> list[Image]:
        """The image at each depth, the samples first."""
        return [self.image, *(level.image for level in self.levels)]

    def glances(self, axis: int) -> list[Glance]:
        """How each level looks along the rows (0) or columns (1)."""
        return [level.glances[axis] for level in self.levels]


def stack_of(
    network: Network, image: Image, window: tuple[int, int], stride: tuple[int, int], share: float = WORTH
) -> Stack | None:
    """The stack of a network, as deep as an occluder's patches are worth following; None where they are not at all.

    They are as long as they cover less than a share of the image.
    """
    nodes, chain = _chain(network)
    levels: list[Level] = []
    made, flat = image, network.program.graph.input_shape.as_image() != image
    for node in nodes[:chain]:
        level = _level(node, made, flat)
        if level is None:
            break
        levels.append(level)
        made, flat = level.image, node.output_shape.as_image() != level.image
    depth = _worth_following(image, levels, window, stride, share)
    if depth is None:
        return None
    end = nodes[depth] if depth == len(levels) and depth < chain and _is_end(nodes[depth], flat) else None
    kept = tuple(levels[:depth])
    if end is None and not any(isinstance(level.node.layer, Conv | MaxPool | AvgPool) for level in kept):
        return None
    return Stack(image, kept, end, tuple(nodes[depth + (end is not None) :]), _runs(image, kept, window, stride))


def _chain(network: Network) -> tuple[Sequence[ScheduledNode], int]:
    """The nodes, and how many of the first form a chain, each read by the next alone."""
    schedule = ExecutionSchedule.of(network.program.graph, network.spec.loss, 1, False, {}, {})
    nodes = pool_first(schedule).nodes
    former, length = INPUT, 0
    for node in nodes:
        if node.inputs != (former,) or sum(former in other.inputs for other in nodes) != 1:
            break
        former, length = node.name, length + 1
    return nodes, length


def _level(node: ScheduledNode, image: Image, flat: bool) -> Level | None:
    """The level of a layer over an image, or a row that was one; None where patches do not pass it."""
    layer, shape = node.layer, node.input_shapes[0]
    if shape.sequence or node.output_shape.sequence:
        return None
    unchanged = Level(node, (Glance(image[0]), Glance(image[1])), image)
    match layer:
        case Conv() | MaxPool() | AvgPool() if not flat and len(node.output_shape) == 3:
            dilation = layer.dilation if isinstance(layer, Conv) else 1
            glances = tuple(
                Glance(extent.places, cells, layer.steps(), dilation, extent.before, not isinstance(layer, Conv))
                for extent, cells in zip(layer.extents(shape, layer.pad, dilation), layer.pair(), strict=True)
            )
            return Level(node, (glances[0], glances[1]), (*node.output_shape,))
        case BatchNorm():
            return None if flat else unchanged
        case Softmax():
            return None
        case Activation() | Dropout() | Flatten() | Reshape():
            return unchanged
    return None


def _is_end(node: ScheduledNode, flat: bool) -> bool:
    """Whether a layer is linear in all that an image holds, so that differences can be added to what it gives."""
    dense = isinstance(node.layer, Dense) and not node.input_shapes[0].sequence
    return dense or (isinstance(node.layer, GlobalAvgPool) and not flat)


def _worth_following(
    image: Image, levels: Sequence[Level], window: tuple[int, int], stride: tuple[int, int], share: float
) -> int | None:
    """How many levels have patches of less than a share of their image; None where the occluder itself has not."""
    found = _runs(image, levels, window, stride)
    for depth, (height, width, _) in enumerate([image, *(level.image for level in levels)]):
        tall, wide = (max(run.sizes[depth] for run in along) for along in found)
        if tall * wide >= share * height * width:
            return depth - 1 if depth else None
    return len(levels)


def _runs(
    image: Image, levels: Sequence[Level], window: tuple[int, int], stride: tuple[int, int]
) -> tuple[Sequence[Run], Sequence[Run]]:
    rows, columns = (
        runs(image[axis], window[axis], stride[axis], [level.glances[axis] for level in levels]) for axis in (0, 1)
    )
    return rows, columns
