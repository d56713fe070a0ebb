"""Occlusion of a network, computed incrementally: an occluder changes a patch, and only the patch is computed again.

The whole images are computed once, layer after layer. For each position of the occluder, the patch that it changes is
followed through convolutions and pools (patches.py: where it is; patch_steps.py: what is computed), and the first dense
layer adds W[patch] · difference to its sums over the whole image. The layers after it are computed for all occluded
images in batches. So are the layers from the depth on at which the patch has grown to half of the image, or for whose
word patch_rules.py has no rule.

`reference_occlusion` is the definition. It also computes the networks for which patches gain nothing.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import Graph, GraphNode
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.execute.processors import thread_count
from nnspec.runtime.execute.threads import run_together
from nnspec.runtime.explain.log_odds import class_log_odds, log_odds
from nnspec.runtime.explain.occlusion import SCALES, OcclusionError, OcclusionRequest, reference_occlusion
from nnspec.runtime.explain.patch_ends import PasteEnd, PatchEnd
from nnspec.runtime.explain.patch_rules import StepBuilder
from nnspec.runtime.explain.patch_stack import MAX_SHARE, PatchStack, build_stack
from nnspec.runtime.explain.patch_steps import PatchStep
from nnspec.runtime.explain.patches import PatchBatch, PhasedImages, PositionGroup, whole_image
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import Programs
from nnspec.runtime.infer.reference_program import Program
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.activation import Softmax

PATCH_NUMBERS = 1 << 20
"""The most numbers of patches that are computed at once: what the cache of a core holds."""

PASTED_NUMBERS = 1 << 22
"""The most numbers of images that are made at once where patches are pasted into them."""

MOST_THREADS = 4
"""Threads that compute patches: their operations are short, and more would contend for the interpreter lock."""

IMAGE_NUMBERS = 1 << 24
"""The most numbers of whole images that are kept at once."""

MAX_IMAGES = 64
"""The most images that are computed together."""


Classifier = Callable[[Array, Array], Array]
"""Numbers (rows, columns, numbers, images) and labels (images,) → those of the labels, (rows, columns, images)."""

end_activations: Registry[Classifier] = Registry(__name__)
"""Activations over axis 2, where that is faster than the layer of one axis."""


def occlude(
    network: Network,
    images: ArrayLike,
    labels: ArrayLike,
    window: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    baseline: ArrayLike = 0.0,
    scale: str = "probability",
) -> Array:
    """Return the probability of each image's label with a window of it covered, for every position of the window.

    Arguments:
        network: a classifier of images.
        images: raw samples, (image, height, width, channels) or (image, height, width).
        labels: (image,), the index of a class.
        window: rows and columns of the window in pixels, or one number for both.
        stride: rows and columns from one position to the next, or one number for both.
        baseline: what the window is set to, in the units of the images: a number, or an array that broadcasts to an
            image.
        scale: "probability"; "log_odds", ln(p / (1 − p)) of that probability; or "drop", by how much the log-odds of
            the whole image are higher: above 0 where the network needs what the window covers.

    Returns (image, row, column) float32, as `reference_occlusion` defines it. Raises OcclusionError where that does,
    and DataError where the images are not samples of the network. The network has probabilities, not scores.
    """
    if scale not in SCALES:
        raise OcclusionError(f"no scale is called {scale!r}: use probability, log_odds or drop")
    require_probabilities(network)
    request = OcclusionRequest.of(images, labels, window, stride, baseline)
    in_log_odds = scale != "probability"
    maps = incremental_occlusion(network, request, in_log_odds=in_log_odds)

    def values(covered: Array) -> Array:  # (batch, height, width, channels) → (batch, classes)
        samples = as_samples(network, covered)
        return class_log_odds(network, samples) if in_log_odds else class_probabilities(network.predict(samples))

    if maps is None:
        maps = reference_occlusion(values, request.images, request.labels, request.window, request.stride, request.fill)
    if scale == "drop" and len(request.images):
        whole = values(request.images)[np.arange(len(request.labels)), request.labels]
        maps = whole[:, None, None] - maps
    return maps.astype(np.float32)


def require_probabilities(network: Network) -> None:
    """Raise OcclusionError where the outputs are scores of any size, which no map of probabilities can show."""
    loss = network.spec.loss
    if loss.scores:
        raise OcclusionError(
            f"occlusion maps probabilities, and the outputs of loss {loss.word} are scores: train with loss "
            f"{'cross_entropy' if loss.classes else 'binary_cross_entropy'}"
        )


def incremental_occlusion(
    network: Network, request: OcclusionRequest, share: float = MAX_SHARE, in_log_odds: bool = False
) -> Array | None:
    """Return the maps (image, row, column) in the network's dtype; None where patches gain nothing.

    Patches are followed while they cover less than `share` of an image. The maps are probabilities, or log-odds.
    """
    outputs = network.spec.output_shape
    if not len(request.images) or outputs is None or len(outputs) != 1:
        return None
    whole = _normalized(network, request.images)
    _, *image = whole.shape
    stack = build_stack(network, (image[0], image[1], image[2]), request.window, request.stride, share)
    if stack is None:
        return None
    request.check_labels(max(outputs[0], 2))
    change = _normalized(network, request.fill[None]) - whole  # of every pixel where it is covered
    maps = np.empty((*request.map_shape, len(whole)), network.dtype)  # (row, column, image)
    largest = sum(height * width * channels for height, width, channels in stack.images())
    at_once = max(1, min(MAX_IMAGES, IMAGE_NUMBERS // largest))
    with fixed_threads(1):
        for part in _equal_slices(len(whole), at_once):
            given = whole[part], change[part], request.labels[part]
            occlusion = IncrementalOcclusion(network, stack, request, *given, in_log_odds)
            occlusion.write(maps[:, :, part])
    return maps.transpose(2, 0, 1)


def as_samples(network: Network, images: Array) -> Array:
    """Return images (batch, height, width, channels) as samples, without a channel axis where the network has none."""
    grey = images.shape[1:] == (*network.preprocessing.input_shape, 1)
    return images[..., 0] if grey else images


def _normalized(network: Network, images: Array) -> Array:
    return network.preprocessing.apply(as_samples(network, images), network.dtype).reshape(images.shape)


class IncrementalOcclusion:
    """The occlusion of some images. The constructor computes the whole images, `write` the occluded ones.

    The maps are probabilities, or log-odds. `whole` are the normalized images and `change` the difference that covering
    makes to each pixel, both (images, height, width, channels).
    """

    def __init__(
        self,
        network: Network,
        stack: PatchStack,
        request: OcclusionRequest,
        whole: Array,
        change: Array,
        labels: Array,
        in_log_odds: bool = False,
    ):
        self.stack, self.labels = stack, labels
        self.window, self.stride = request.window, request.stride
        self.steps, self.end = _steps(network, stack, in_log_odds)
        self.classifier = _classifier(network, stack, in_log_odds)
        rows, columns = (whole_image(stack.image[axis], stack.windows(axis)) for axis in (0, 1))
        image = PatchBatch(rows, columns, slice(0, len(whole)))
        rows, columns = (group.at_samples(0, group.lengths[0]) for group in (rows, columns))
        uncut = PatchBatch(rows, columns, image.images)
        windows = [[self._window(group, axis) for group in groups] for axis, groups in enumerate(stack.groups)]
        self._change = PhasedImages(_as_patches(change), uncut, 0, windows[0], windows[1])
        x = _embedded(image, uncut, _as_patches(whole))
        for step in self.steps:
            x = step.whole(x, image)
        self.end.whole(x, image)

    def write(self, maps: Array) -> None:
        """Compute the maps into an array (row, column, image)."""
        batches = list(self._batches())
        waiting = iter(batches)  # lanes take the next batch in turn; the result does not depend on which

        def lane() -> None:
            with np.errstate(all="ignore"):
                for batch in waiting:
                    rows, columns = (
                        slice(group.first, group.first + (group.members - 1) * group.every + 1, group.every)
                        for group in (batch.rows, batch.columns)
                    )
                    maps[rows, columns, batch.images] = self._probabilities(batch)

        alone = len(batches) == 1 or isinstance(
            self.end, PasteEnd
        )  # the programs after a PasteEnd have their own lanes
        workers = 1 if alone else min(thread_count(), MOST_THREADS, len(batches))
        run_together([lane] * workers, workers)

    def _batches(self) -> Iterator[PatchBatch]:
        """Yield all positions in all images, in batches whose patches have at most PATCH_NUMBERS numbers."""
        shapes = self.stack.images()
        for rows, columns in product(*self.stack.groups):
            largest = max(
                tall * wide * shape[2] for tall, wide, shape in zip(rows.sizes, columns.sizes, shapes, strict=True)
            )
            room = max(PATCH_NUMBERS // largest, 1)
            if isinstance(self.end, PasteEnd):
                room = min(room, max(PASTED_NUMBERS // prod(shapes[-1]), 1))
            images = list(_equal_slices(len(self.labels), room))
            at_once = images[0].stop
            across = list(_equal_slices(columns.members, room // at_once))
            down = _equal_slices(rows.members, room // (at_once * across[0].stop))
            for top, left, part in product(down, across, images):
                yield PatchBatch(rows.subset(top.start, top.stop), columns.subset(left.start, left.stop), part)

    def _probabilities(self, batch: PatchBatch) -> Array:
        """Return the probabilities of the images' labels, (rows, columns, images)."""
        windows = PatchBatch(self._window(batch.rows, 0), self._window(batch.columns, 1), batch.images)
        change = np.empty((*self.window, self._change.cells.shape[2], *batch.counts), self._change.cells.dtype)
        for columns, values in self._change.patches(windows):
            change[:, columns] = values
        x = _embedded(batch, windows, change)
        for step in self.steps:
            x = step.patch(x, batch)
        return self.classifier(self.end.patch(x, batch), self.labels[batch.images])

    def _window(self, group: PositionGroup, axis: int) -> PositionGroup:
        """Return the group whose patches are the windows themselves, which cover the samples."""
        return group.at_samples(group.first * self.stride[axis], self.window[axis])


def _equal_slices(count: int, most: int) -> Iterator[slice]:
    """Yield slices of nearly equal length, at most `most` or 1, that cover a count."""
    parts = -(-count // max(most, 1))
    for part in range(parts):
        yield slice(count * part // parts, count * (part + 1) // parts)


def _as_patches(images: Array) -> Array:
    """Return images (images, height, width, channels) as patches (height, width, channels, 1, 1, images)."""
    return images.transpose(1, 2, 3, 0)[:, :, :, None, None]


def _embedded(batch: PatchBatch, given: PatchBatch, x: Array) -> Array:
    """Return patches of the samples that contain the given ones, with zeros around these."""
    starts, sizes = [group.starts[0] for group in (batch.rows, batch.columns)], batch.sizes(0)
    if starts == [group.starts[0] for group in (given.rows, given.columns)] and sizes == given.sizes(0):
        return x
    wider = np.zeros((*sizes, *x.shape[2:]), x.dtype)
    to, of = [], []
    for start, size, group in zip(starts, sizes, (given.rows, given.columns), strict=True):
        offset = group.starts[0] - start
        begin = max(offset, 0)
        end = max(min(offset + group.sizes[0], size), begin)
        to.append(slice(begin, end))
        of.append(slice(begin - offset, end - offset))
    wider[to[0], to[1]] = x[of[0], of[1]]
    return wider


def _steps(network: Network, stack: PatchStack, in_log_odds: bool) -> tuple[list[PatchStep], PatchEnd]:
    """Return the steps of a stack and its end."""
    builder = StepBuilder(network, stack.groups)
    for depth, level in enumerate(stack.levels):
        level.add_steps(builder, depth)
    depth = len(stack.levels)
    if stack.make_end is None:
        builder.to_values(depth)
        return builder.steps, PasteEnd(depth, stack.groups, _remaining_network(network, stack, in_log_odds))
    builder.to_differences(depth)
    return builder.steps, stack.make_end(builder, depth, stack.images()[-1])


def _remaining_network(network: Network, stack: PatchStack, in_log_odds: bool) -> Callable[[Array], Array]:
    """Return the function of the layers after the stack: (batch, rows, columns, channels) → (batch, outputs).

    It gives logits where log-odds are asked for.
    """
    graph = _remaining_graph(network, stack)
    shape = graph.input_shape
    arenas = network.parameter_arena, network.buffer_arena
    programs = Programs(graph, network.spec.loss, *arenas, Preprocessing.identity(tuple(shape)))

    def outputs(images: Array) -> Array:
        return programs.answers("logits" if in_log_odds else "outputs", images.reshape(-1, *shape))

    return outputs


def _remaining_graph(network: Network, stack: PatchStack) -> Graph:
    """Return the graph of the layers after the stack."""
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
            node.ties,
        )
        for node in stack.rest
    )
    return Graph(nodes, graph.head, last.output_shape, graph.output_shape)


def _classifier(network: Network, stack: PatchStack, in_log_odds: bool) -> Classifier:
    """Return the function from the numbers of the stack's end to the probabilities of labels, or their log-odds."""
    remaining = _remaining_graph(network, stack)
    if in_log_odds:
        headless = Graph(remaining.nodes, None, remaining.input_shape, remaining.output_shape)
        rest = Program(headless, network.spec.loss, network.parameter_arena, network.buffer_arena)
        pasted = stack.end is None
        return _with_axis_last(lambda rows: log_odds(rows if pasted else rest.outputs(rows), remaining.head))
    if stack.end is None:
        return _with_axis_last(class_probabilities)
    fast = end_activations.get(type(remaining.head)) if remaining.head is not None else None
    if not remaining.nodes and fast is not None and remaining.output_shape.size > 1:
        return fast
    program = Program(remaining, network.spec.loss, network.parameter_arena, network.buffer_arena)
    return _with_axis_last(lambda rows: class_probabilities(program.outputs(rows)))


def _with_axis_last(function: Callable[[Array], Array]) -> Classifier:
    """Return a function of (batch, numbers) → (batch, classes) as a classifier."""

    def of_labels(x: Array, labels: Array) -> Array:
        rows, columns, numbers, images = x.shape
        y = function(x.transpose(0, 1, 3, 2).reshape(-1, numbers)).reshape(rows, columns, images, -1)
        return y[:, :, np.arange(images), labels]

    return of_labels


@end_activations.implements(Softmax)
def softmax(x: Array, labels: Array) -> Array:
    """Return the softmax over axis 2 at the labels. It is moved to the front: long rows are several times as fast."""
    powers = np.ascontiguousarray(x.transpose(2, 0, 1, 3))
    powers -= powers.max(axis=0)
    np.exp(powers, out=powers)
    true = powers[labels, :, :, np.arange(len(labels))]  # (images, rows, columns)
    probabilities: Array = true.transpose(1, 2, 0).copy()
    probabilities /= powers.sum(axis=0)
    return probabilities
