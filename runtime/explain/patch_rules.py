"""How each kind of layer treats patches: one rule a layer, found by the class of its word.

A rule says how a layer reads the rows and columns of its input and which steps compute it on patches. Patches are not
followed through a layer without a rule, nor through one whose rule returns None: the network from there on is computed
in full. Elementwise layers share the rule of Activation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.schedule import ScheduledNode
from nnspec.runtime.explain.patch_convolution import ConvolutionStep
from nnspec.runtime.explain.patch_ends import DenseEnd, MeanEnd, PatchEnd
from nnspec.runtime.explain.patch_steps import (
    AddImages,
    ElementwiseStep,
    FillOutside,
    PatchStep,
    PoolStep,
    ScaleStep,
    SubtractImages,
)
from nnspec.runtime.explain.patches import AxisGroups, AxisWindow
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import build
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.layers.activation import Activation, Linear, Softmax
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, MaxPool
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Reshape

ImageShape = tuple[int, int, int]
"""Height, width, channels."""


@dataclass
class StepBuilder:
    """The steps of a stack so far, and whether they give differences or values.

    `groups` are the positions of the occluder. `difference` says that patches are differences, `zero_outside` that
    these are zero beyond the image.
    """

    network: Network
    groups: AxisGroups
    steps: list[PatchStep] = field(default_factory=list)
    difference: bool = True
    zero_outside: bool = True

    def to_values(self, depth: int) -> None:
        """Make the patches at this depth values."""
        if self.difference:
            self.steps.append(AddImages(depth, self.groups))
        self.difference = False

    def to_differences(self, depth: int) -> None:
        """Make the patches at this depth differences that are zero beyond the image."""
        if not self.difference:
            self.steps.append(SubtractImages(depth, self.groups))
        elif not self.zero_outside:
            self.steps.append(FillOutside(depth, 0))
        self.difference = self.zero_outside = True

    def append(self, step: PatchStep) -> None:
        """Append a step that may give numbers other than zero beyond the image."""
        self.steps.append(step)
        self.zero_outside = False


class PatchLevel(NamedTuple):
    """A layer that patches pass through.

    `windows` are its windows over the rows and columns of its input, `image` the shape that it gives; a flattened row
    counts as the image that it was. `add_steps(builder, depth)` appends its steps; its input is at `depth`.
    """

    node: ScheduledNode
    windows: tuple[AxisWindow, AxisWindow]
    image: ImageShape
    add_steps: Callable[[StepBuilder, int], None]
    reads_neighbours: bool = False


LevelRule = Callable[[ScheduledNode, ImageShape, bool], PatchLevel | None]
"""(node, shape of its input as an image, whether the input is flattened) → the level; None where patches end."""

EndRule = Callable[[ScheduledNode, bool], Callable[[StepBuilder, int, ImageShape], PatchEnd] | None]
"""(node, whether its input is flattened) → the maker of the end at a depth, over an image; None for other layers."""

level_rules: Registry[LevelRule] = Registry(__name__)
end_rules: Registry[EndRule] = Registry(__name__)


def level_of(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Return the level of a layer over an image, or over a row that was one; None where patches do not pass it."""
    if node.input_shapes[0].sequence or node.output_shape.sequence:
        return None
    rule = level_rules.get(type(node.layer))
    return rule(node, image, flat) if rule is not None else None


def end_of(node: ScheduledNode, flat: bool) -> Callable[[StepBuilder, int, ImageShape], PatchEnd] | None:
    """Return what makes the end of a stack from a layer that is linear in the image; None for other layers."""
    rule = end_rules.get(type(node.layer))
    return rule(node, flat) if rule is not None else None


def _one_to_one(node: ScheduledNode, image: ImageShape, add_steps: Callable[[StepBuilder, int], None]) -> PatchLevel:
    """Return the level of a layer whose outputs each read the one cell at their own place."""
    return PatchLevel(node, (AxisWindow(image[0]), AxisWindow(image[1])), image, add_steps)


def _windowed(
    node: ScheduledNode, layer: Conv | MaxPool | AvgPool, needs_all: bool
) -> tuple[tuple[AxisWindow, AxisWindow], ImageShape]:
    rows, columns = (
        AxisWindow(extent.places, taps, stride, dilation, extent.before, needs_all)
        for extent, taps, stride, dilation in zip(
            layer.extents(node.input_shapes[0]), layer.pair(), layer.strides(), layer.dilations(), strict=True
        )
    )
    height, width, channels = node.output_shape
    return (rows, columns), (height, width, channels)


@level_rules.implements(Conv)
def convolution_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Convolve differences."""
    layer = node.layer
    assert isinstance(layer, Conv)
    if flat or len(node.output_shape) != 3:
        return None
    windows, output = _windowed(node, layer, needs_all=False)

    def add_steps(builder: StepBuilder, depth: int) -> None:
        builder.to_differences(depth)
        own = builder.network.parameter_arena.of(node.name, node.ties)
        weight = _ungrouped(own["weight"], layer.groups)
        builder.append(ConvolutionStep(depth + 1, weight, own.get("bias"), windows))

    return PatchLevel(node, windows, output, add_steps, reads_neighbours=True)


@level_rules.implements(MaxPool, AvgPool)
def pool_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Take the maximum of values, or the mean of either; patches end at means of different numbers of cells."""
    layer = node.layer
    assert isinstance(layer, MaxPool | AvgPool)
    if flat or len(node.output_shape) != 3:
        return None
    counted = None
    if isinstance(layer, AvgPool):
        rows, columns = layer.counted(node.input_shapes[0])
        if len({*rows}) > 1 or len({*columns}) > 1:
            return None
        counted = rows[0] * columns[0]
    windows, output = _windowed(node, layer, needs_all=True)
    padded = any(extent.before or extent.after for extent in layer.extents(node.input_shapes[0]))

    def add_steps(builder: StepBuilder, depth: int) -> None:
        if counted is None:
            builder.to_values(depth)
        if padded:
            builder.append(FillOutside(depth, -np.inf if counted is None else 0))
        builder.append(PoolStep(depth + 1, layer.pair(), layer.strides(), layer.dilations(), counted))

    return PatchLevel(node, windows, output, add_steps, reads_neighbours=True)


@level_rules.implements(BatchNorm)
def batchnorm_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Scale and shift each channel by the running statistics."""
    layer = node.layer
    assert isinstance(layer, BatchNorm)

    def add_steps(builder: StepBuilder, depth: int) -> None:
        network = builder.network
        arrays = {**network.parameter_arena.of(node.name, node.ties), **network.buffer_arena.of(node.name)}
        factor = arrays["weight"] / np.sqrt(arrays["running_var"] + layer.eps)
        shift = arrays["bias"] - arrays["running_mean"] * factor
        builder.steps.append(ScaleStep(factor, shift, builder.difference))

    return None if flat else _one_to_one(node, image, add_steps)


@level_rules.implements(Activation)
def activation_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Apply an elementwise function to values."""

    def add_steps(builder: StepBuilder, depth: int) -> None:
        builder.to_values(depth)
        builder.steps.append(ElementwiseStep(build(node.layer, node.input_shapes[0], {})))

    return _one_to_one(node, image, add_steps)


@level_rules.implements(Linear, Dropout, Flatten, Reshape)
def unchanged_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Leave patches as they are: layers that change no number at inference."""
    return _one_to_one(node, image, lambda builder, depth: None)


@level_rules.implements(Softmax)
def no_level(node: ScheduledNode, image: ImageShape, flat: bool) -> PatchLevel | None:
    """Follow patches no further: every output depends on every input."""
    return None


@end_rules.implements(Dense)
def dense_end(node: ScheduledNode, flat: bool) -> Callable[[StepBuilder, int, ImageShape], PatchEnd] | None:
    """Add W[patch] · difference to the sums of the whole image."""

    def end(builder: StepBuilder, depth: int, image: ImageShape) -> PatchEnd:
        own = builder.network.parameter_arena.of(node.name, node.ties)
        return DenseEnd(depth, own["weight"], own.get("bias"), builder.groups)

    return None if node.input_shapes[0].sequence else end


@end_rules.implements(GlobalAvgPool)
def mean_end(node: ScheduledNode, flat: bool) -> Callable[[StepBuilder, int, ImageShape], PatchEnd] | None:
    """Add the mean of the difference to the mean of the whole image."""

    def end(builder: StepBuilder, depth: int, image: ImageShape) -> PatchEnd:
        return MeanEnd(depth, image[0] * image[1])

    return None if flat else end


def _ungrouped(weight: Array, groups: int) -> Array:
    """Return the weight of a grouped convolution as one over all channels, (window rows, window columns, in, out)."""
    height, width, channels, filters = weight.shape
    whole = np.zeros((height, width, groups, channels, groups, filters // groups), weight.dtype)
    for group in range(groups):
        whole[:, :, group, :, group] = weight.reshape(height, width, channels, groups, -1)[:, :, :, group]
    return whole.reshape(height, width, channels * groups, filters)
