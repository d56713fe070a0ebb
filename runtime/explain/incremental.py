"""Occlusion of a network, incremental: an occluder changes only what looks at it, so only that is computed anew.

The whole images are computed once, layer after layer. For each place of the occluder the patch that it changes is
followed through convolutions and pools (patches.py says where it lies, patch_steps.py what is computed), and the first
dense layer adds W[patch] · difference to its sums over the whole image. What comes behind is computed for all occluded
images in batches; so is what comes behind the depth where the patch has grown to half of the image, or where a layer is
no stack of windows.

The definition, which stays where nothing can be gained, is nnspec.runtime.explain.occlusion.occlude.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.bind import run_together
from nnspec.runtime.compiler.graph import Graph, GraphNode
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.explain.occlusion import Question
from nnspec.runtime.explain.occlusion import occlude as occlude_plainly
from nnspec.runtime.explain.patch_stack import WORTH, Stack, stack_of
from nnspec.runtime.explain.patch_steps import (
    Add,
    Convolve,
    DenseEnd,
    Each,
    End,
    MeanEnd,
    Outside,
    PasteEnd,
    Pool,
    Scale,
    Step,
    Subtract,
)
from nnspec.runtime.explain.patches import Laid, Place, Run, whole_image
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import Programs, fixed_threads
from nnspec.runtime.infer.reference_program import Program
from nnspec.runtime.layers import build
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.activation import Activation, Linear, Softmax
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, MaxPool

PATCHES = 1 << 20
"""Numbers of the patches that are computed at once: what a core's cache holds."""

PASTED = 1 << 22
"""Numbers of the images that are made at once where patches are pasted into them."""

WHOLE = 1 << 24
"""Numbers of the whole images' values that are kept at once."""

MOST_IMAGES = 64
"""Images that are looked at together, at most."""


def occlude(
    network: Network,
    images: ArrayLike,
    labels: ArrayLike,
    window: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    baseline: ArrayLike = 0.0,
) -> Array:
    """The probability of each image's label with a window of it covered, for every place: (image, row, column) float32.

    As `occlude` in runtime/explain/occlusion.py defines it, over the network's raw samples. Raises OcclusionError
    where that does, and DataError where the images are not the network's.
    """
    asked = Question.of(images, labels, window, stride, baseline)
    maps = incremental(network, asked)
    if maps is not None:
        return maps.astype(np.float32)

    def probabilities(covered: Array) -> Array:  # (batch, height, width, channels)
        return class_probabilities(network.predict(_as_samples(network, covered)))

    return occlude_plainly(probabilities, asked.images, asked.labels, asked.window, asked.stride, asked.fill)


def incremental(network: Network, asked: Question, share: float = WORTH) -> Array | None:
    """The maps in the network's own precision; None where patches gain nothing or cannot be followed.

    `share` of an image is how large patches may grow.
    """
    outputs = network.spec.output_shape
    if not len(asked.images) or outputs is None or len(outputs) != 1:
        return None
    whole = _normalized(network, asked.images)
    _, *image = whole.shape
    stack = stack_of(network, (image[0], image[1], image[2]), asked.window, asked.stride, share)
    if stack is None:
        return None
    asked.check_labels(max(outputs[0], 2))
    change = _normalized(network, asked.fill[None]) - whole  # of every pixel, were it covered
    maps = np.empty((*asked.map_shape, len(whole)), network.dtype)  # (row, column, image)
    largest = sum(height * width * channels for height, width, channels in stack.images())
    at_once = max(1, min(MOST_IMAGES, WHOLE // largest))
    with fixed_threads(1):
        for part in _cut(len(whole), at_once):
            looking = Occlusion(network, stack, asked, whole[part], change[part], asked.labels[part])
            looking.write(maps[:, :, part])
    return maps.transpose(2, 0, 1)


def _as_samples(network: Network, images: Array) -> Array:
    """Images (batch, height, width, channels) as samples: those of (height, width) have no axis for their channel."""
    grey = images.shape[1:] == (*network.preprocessing.input_shape, 1)
    return images[..., 0] if grey else images


def _normalized(network: Network, images: Array) -> Array:
    return network.preprocessing.apply(_as_samples(network, images), network.dtype).reshape(images.shape)


class Occlusion:
    """Some images of one network, looked at whole and ready to be covered.

    `whole` are the normalized images and `change` what covering does to each pixel, both (images, height, width,
    channels).
    """

    def __init__(self, network: Network, stack: Stack, asked: Question, whole: Array, change: Array, labels: Array):
        self.stack, self.labels = stack, labels
        self.window, self.stride = asked.window, asked.stride
        self.steps, self.end = _steps(network, stack)
        self.answer = _answer(network, stack)
        rows, columns = (whole_image(stack.image[axis], stack.glances(axis)) for axis in (0, 1))
        image = Place(rows, columns, slice(0, len(whole)))
        rows, columns = (_samples_alone(run, 0, run.lengths[0]) for run in (rows, columns))
        uncut = Place(rows, columns, image.images)
        windows = [[self._window(run, axis) for run in runs] for axis, runs in enumerate(stack.runs)]
        self._change = Laid(_apart(change), uncut, 0, windows[0], windows[1])
        x = _into(image, uncut, _apart(whole))
        for step in self.steps:
            x = step.whole(x, image)
        self.end.whole(x, image)

    def write(self, maps: Array) -> None:
        """Compute the maps (row, column, image)."""
        places = list(self._places())
        waiting = iter(places)  # lanes take what is next; which one does changes nothing

        def lane() -> None:
            with np.errstate(all="ignore"):
                for place in waiting:
                    rows, columns = (
                        slice(run.first, run.first + (run.places - 1) * run.every + 1, run.every)
                        for run in (place.rows, place.columns)
                    )
                    maps[rows, columns, place.images] = self._probabilities(place)

        alone = len(places) == 1 or isinstance(self.end, PasteEnd)  # the programs behind that have lanes of their own
        run_together([lane] if alone else [lane, lane])

    def _places(self) -> Iterator[Place]:
        """All places in all images, in parts whose patches fit PATCHES."""
        made = self.stack.images()
        for rows, columns in product(*self.stack.runs):
            largest = max(
                tall * wide * image[2] for tall, wide, image in zip(rows.sizes, columns.sizes, made, strict=True)
            )
            room = max(PATCHES // largest, 1)
            if isinstance(self.end, PasteEnd):
                room = min(room, max(PASTED // prod(made[-1]), 1))
            images = list(_cut(len(self.labels), room))
            at_once = images[0].stop
            across = list(_cut(columns.places, room // at_once))
            down = _cut(rows.places, room // (at_once * across[0].stop))
            for top, left, part in product(down, across, images):
                yield Place(rows.part(top.start, top.stop), columns.part(left.start, left.stop), part)

    def _probabilities(self, place: Place) -> Array:
        """Those of the images' labels, (rows, columns, images)."""
        windows = Place(self._window(place.rows, 0), self._window(place.columns, 1), place.images)
        change = np.empty((*self.window, self._change.cells.shape[2], *place.counts), self._change.cells.dtype)
        for columns, there in self._change.patches(windows):
            change[:, columns] = there
        x = _into(place, windows, change)
        for step in self.steps:
            x = step.patch(x, place)
        answers = self.answer(self.end.patch(x, place))  # (rows, columns, classes, images)
        labels = self.labels[place.images]
        return answers[:, :, labels, np.arange(len(labels))]

    def _window(self, run: Run, axis: int) -> Run:
        """The run's occluders themselves: what they cover of the samples."""
        return _samples_alone(run, run.first * self.stride[axis], self.window[axis])


def _cut(count: int, most: int) -> Iterator[slice]:
    """A count in equal parts of `most` at most, and at least one."""
    parts = -(-count // max(most, 1))
    for part in range(parts):
        yield slice(count * part // parts, count * (part + 1) // parts)


def _samples_alone(run: Run, start: int, size: int) -> Run:
    """A run that goes no deeper than the samples, with patches that begin and end here."""
    return run._replace(starts=(start,), sizes=(size,), moves=run.moves[:1], lengths=run.lengths[:1])


def _apart(images: Array) -> Array:
    """Images (images, height, width, channels) as patches of one place: (height, width, channels, 1, 1, images)."""
    return images.transpose(1, 2, 3, 0)[:, :, :, None, None]


def _into(place: Place, given: Place, x: Array) -> Array:
    """Patches of the samples with those that are given in them, and zeros around these."""
    starts, sizes = [run.starts[0] for run in (place.rows, place.columns)], place.sizes(0)
    if starts == [run.starts[0] for run in (given.rows, given.columns)] and sizes == given.sizes(0):
        return x
    wider = np.zeros((*sizes, *x.shape[2:]), x.dtype)
    to, of = [], []
    for start, size, run in zip(starts, sizes, (given.rows, given.columns), strict=True):
        behind = run.starts[0] - start
        begin = max(behind, 0)
        end = max(min(behind + run.sizes[0], size), begin)
        to.append(slice(begin, end))
        of.append(slice(begin - behind, end - behind))
    wider[to[0], to[1]] = x[of[0], of[1]]
    return wider


def _steps(network: Network, stack: Stack) -> tuple[list[Step], End]:
    """The steps of a stack, and its end, with what turns differences into values and back wherever that is wanted."""
    steps: list[Step] = []
    difference = clean = True  # whether patches are differences, and whether these are zero beyond the image
    parameters = network.parameter_arena

    def as_value(depth: int) -> None:
        nonlocal difference
        if difference:
            steps.append(Add(depth, stack.runs))
        difference = False

    def as_difference(depth: int) -> None:
        nonlocal difference, clean
        if not difference:
            steps.append(Subtract(depth, stack.runs))
        elif not clean:
            steps.append(Outside(depth, 0))
        difference = clean = True

    for depth, (node, glances, _) in enumerate(stack.levels):
        layer, shape = node.layer, node.input_shapes[0]
        match layer:
            case Conv():
                as_difference(depth)
                own = parameters.of(node.name)
                steps.append(Convolve(depth + 1, _ungrouped(own["weight"], layer.groups), own.get("bias"), glances))
                clean = False
            case MaxPool() | AvgPool():
                largest = isinstance(layer, MaxPool)
                if largest:
                    as_value(depth)
                if any(extent.before or extent.after for extent in layer.extents(shape, layer.pad)):
                    steps.append(Outside(depth, -np.inf if largest else 0))
                steps.append(Pool(depth + 1, layer.pair(), layer.steps(), largest))
                clean = False
            case BatchNorm():
                arrays = {**parameters.of(node.name), **network.buffer_arena.of(node.name)}
                factor = arrays["weight"] / np.sqrt(arrays["running_var"] + layer.eps)
                steps.append(Scale(factor, arrays["bias"] - arrays["running_mean"] * factor, difference))
            case Activation() if not isinstance(layer, Linear):
                as_value(depth)
                steps.append(Each(build(layer, shape, {})))
    return steps, _end(network, stack, as_value, as_difference)


def _end(network: Network, stack: Stack, as_value: Callable[[int], None], as_difference: Callable[[int], None]) -> End:
    depth, node = len(stack.levels), stack.end
    height, width, _ = stack.images()[-1]
    if node is None:
        as_value(depth)
        behind = _behind(network, stack)
        shape = behind.input_shape
        as_it_is = Preprocessing.identity(tuple(shape))
        arenas = network.parameter_arena, network.buffer_arena
        programs = Programs(behind, network.spec.loss, *arenas, as_it_is)

        def rest(images: Array) -> Array:
            """The answers for a batch; each array of a program's is its own until the next one."""
            samples = images.reshape(-1, *shape)
            return np.concatenate([part.copy() for part in programs.run("outputs", samples)])

        return PasteEnd(depth, stack.runs, rest)
    as_difference(depth)
    if isinstance(node.layer, Dense):
        own = network.parameter_arena.of(node.name)
        return DenseEnd(depth, own["weight"], own.get("bias"), stack.runs)
    return MeanEnd(depth, height * width)


def _behind(network: Network, stack: Stack) -> Graph:
    """The layers behind the stack as a network of their own."""
    last = stack.end or (stack.levels[-1].node if stack.levels else None)
    assert last is not None
    graph = network.program.graph
    nodes = tuple(
        GraphNode(
            node.name,
            node.layer,
            tuple(INPUT if name == last.name else name for name in node.inputs),
            node.input_shapes,
            node.output_shape,
        )
        for node in stack.rest
    )
    return Graph(nodes, graph.head, last.output_shape, graph.output_shape)


def _answer(network: Network, stack: Stack) -> Callable[[Array], Array]:
    """What numbers of the stack's end, (rows, columns, numbers, images), become: the probabilities of the classes."""
    behind = _behind(network, stack)
    if stack.end is None:
        return _with_axis_last(class_probabilities)
    if not behind.nodes and isinstance(behind.head, Softmax) and behind.output_shape.size > 1:
        return _softmax
    program = Program(behind, network.spec.loss, network.parameter_arena, network.buffer_arena)
    return _with_axis_last(lambda rows: class_probabilities(program.outputs(rows)))


def _with_axis_last(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function of (batch, numbers) for (rows, columns, numbers, images)."""

    def apart(x: Array) -> Array:
        rows, columns, numbers, images = x.shape
        y = function(x.transpose(0, 1, 3, 2).reshape(-1, numbers))
        return y.reshape(rows, columns, images, -1).transpose(0, 1, 3, 2)

    return apart


def _softmax(x: Array) -> Array:
    """Softmax over the last axis but one, brought to the front: operations on long runs are several times as fast."""
    powers = np.ascontiguousarray(np.moveaxis(x, 2, 0))
    powers -= powers.max(axis=0)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=0)
    return np.moveaxis(powers, 0, 2)


def _ungrouped(weight: Array, groups: int) -> Array:
    """The weight of a convolution as if every filter saw every channel, (window rows, window columns, in, out)."""
    height, width, channels, filters = weight.shape
    whole = np.zeros((height, width, groups, channels, groups, filters // groups), weight.dtype)
    for group in range(groups):
        whole[:, :, group, :, group] = weight.reshape(height, width, channels, groups, -1)[:, :, :, group]
    return whole.reshape(height, width, channels * groups, filters)
