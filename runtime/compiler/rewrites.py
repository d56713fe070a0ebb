"""The rewrites: each a small step from one schedule to a better one that gives the same numbers.

`REWRITES` is their order. Each can be left out (`nnspec plan --without NAME`), and each choice follows from the spec
and its shapes alone, never from a clock or the machine: equal specs give equal bits. What each gains in the workloads
is measured by `python -m benchmarks` and told in docs/performance.md.
"""

from collections.abc import Callable
from dataclasses import replace

from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.schedule import STEP_WORTH_A_PARTNER, STEP_WORTH_A_THREAD, ExecutionSchedule, ScheduledNode
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.activation import LeakyRelu, Relu
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten
from nnspec.spec_lang.vocabulary.losses import CrossEntropy

BLOCK = 64  # steps made at once
WIDE = 10_000  # weights of a first layer that is worth a block
FEWEST_COLUMNS = 1_000_000  # numbers in the columns of all convolutions; fewer stay in a cache until they are read
MOST_COLUMNS = 1_000_000  # numbers in those of one; more have left it before the last is written

Rewrite = Callable[[ExecutionSchedule], ExecutionSchedule]

REWRITES: dict[str, Rewrite] = {}
"""Every rewrite by its name, in the order in which they are applied."""


def rewrite(function: Rewrite) -> Rewrite:
    """Register a rewrite under its own name."""
    REWRITES[function.__name__] = function
    return function


def rewritten(schedule: ExecutionSchedule, without: frozenset[str] = frozenset()) -> ExecutionSchedule:
    """The schedule after every rewrite but those left out. Raises KeyError for a name that no rewrite has."""
    for name in without:
        if name not in REWRITES:
            raise KeyError(name)
    for name, apply in REWRITES.items():
        if name not in without:
            after = apply(schedule)
            if after is not schedule:
                schedule = replace(after, applied=(*schedule.applied, name))
    return schedule


@rewrite
def pool_first(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """max(relu(x)) = relu(max(x)): both are monotone, so the bits are equal, on a quarter of the data behind a 2x2
    pool.

    The gradient is the same too: where the largest number of a window is positive it is the winner either way, and
    where it is not, relu stops the gradient.
    """
    for first, pool in _pairs(schedule, (Relu, LeakyRelu), MaxPool):
        activation = first.noted("after the pool")
        moved_pool = replace(pool, inputs=first.inputs)
        moved = replace(
            activation, inputs=(pool.name,), input_shapes=(pool.output_shape,), output_shape=pool.output_shape
        )
        nodes = list(schedule.nodes)
        at = nodes.index(first)
        nodes.remove(first)
        nodes[nodes.index(pool)] = moved_pool
        nodes.insert(max(at, nodes.index(moved_pool) + 1), moved)
        renamed = tuple(_reading(node, pool.name, moved.name) if node is not moved else node for node in nodes)
        return pool_first(replace(schedule, nodes=renamed))
    return schedule


@rewrite
def pool_phases(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """A convolution's places in the order of the pool behind it, so that pooling is an operation on whole runs of
    memory.

    Only the order in memory changes, and places that no window of the pool covers are never computed. Allowed where
    the pool alone reads the convolution, its windows do not overlap, and it has no padding.
    """
    changed: dict[str, ScheduledNode] = {}
    for conv, pool in _pairs(schedule, (Conv,), Pool):
        assert isinstance(pool.layer, Pool) and isinstance(conv.layer, Conv)
        height, width = pool.layer.pair()
        plain = pool.layer.pad in (0, "valid") and height == width == pool.layer.steps()
        if plain and height > 1 and conv.layer.groups == 1 and isinstance(pool.layer, MaxPool | AvgPool):
            changed[conv.name] = replace(conv, phases=height).noted(f"places in {height}x{height} phases")
            changed[pool.name] = replace(pool, phases=height).noted("of contiguous phases")
    return schedule.with_nodes(changed) if changed else schedule


@rewrite
def fold_bias(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """[W; b]·[x; 1] = W·x + b: the bias is one more row of the weight, beside it in the arena, and costs no pass of
    its own.

    Its gradient falls out of the weight's. Sums are taken in another order, so the last bits may differ.
    """
    return replace(schedule, fold_bias=True)


@rewrite
def flat_samples(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Samples that are flattened wherever they are read come in as rows, in the order in which the data have them.

    It is the same memory, so the bits are equal. One copy of whole runs takes the place of two, the first of which
    would put the samples innermost, number by number.
    """
    readers = schedule.readers(INPUT)
    flat = all(isinstance(node.layer, Dense | Flatten) and not node.input_shapes[0].sequence for node in readers)
    return replace(schedule, flat_samples=True) if readers and flat and len(schedule.input_shape) > 1 else schedule


@rewrite
def no_first_gradient(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Nobody asks for the gradient of the samples, so the first layers do not compute it."""
    return replace(schedule, first_gradient=False) if schedule.training else schedule


@rewrite
def lanes(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """A batch cut in two, BLAS on one thread for each half, where a step is long enough.

    The shards are part of the plan: how many processes or threads compute them changes nothing, gradients are added in
    a fixed order. While training a worker process takes the second one (runtime/execute/worker_process.py), which costs
    a few microseconds; it pays from a step of 50 µs on, for any layers. Otherwise a thread does, which costs a hundred:
    then short steps are left whole, and networks without convolutions, whose products are large, leave both threads to
    BLAS. Where a batch is normalized, or its real steps are counted, lanes meet to add up what they have seen of it; a
    plain form could not.
    """
    kinds = [type(node.layer) for node in schedule.nodes]
    if schedule.step_flops() < (STEP_WORTH_A_PARTNER if schedule.training else STEP_WORTH_A_THREAD):
        return replace(schedule, blas_threads=1)
    plain = any(isinstance(node.layer, BatchNorm) and not node.channels_in_front for node in schedule.nodes)
    counted = isinstance(schedule.loss, CrossEntropy) and is_steps(schedule.output_shape)
    uneven = schedule.output_shape.sequence and not counted  # lanes whose lengths differ do not count equally
    if schedule.batch < 2 or (plain or uneven if schedule.training else Conv not in kinds):
        return schedule
    half = (schedule.batch + 1) // 2
    return replace(schedule, lanes=(half, schedule.batch - half), blas_threads=1)


@rewrite
def columns_again(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """The columns of all convolutions in one memory, and gathered once more on the way back: the bits are equal.

    A product then reads what has just been written, out of the cache; columns that were kept would have left it long
    ago. It costs a copy, and saves a small residual network a sixth of its step and more than a third of its memory.
    """
    columns = {node: count for node in schedule.nodes if (count := _columns(node, schedule))}
    if not schedule.training or sum(columns.values()) <= FEWEST_COLUMNS:
        return schedule
    again = [node for node, count in columns.items() if count <= MOST_COLUMNS]
    changed = {node.name: replace(node, again=True).noted("columns gathered twice") for node in again}
    return schedule.with_nodes(changed) if changed else schedule


def _columns(node: ScheduledNode, schedule: ExecutionSchedule) -> int:
    """Numbers in the columns that a lane gathers for a node; 0 for all but convolutions of windows over images."""
    layer, shape = node.layer, node.input_shapes[0]
    image = shape.as_image()
    if not isinstance(layer, Conv) or image is None or layer.along_time(shape) is not None or layer.groups > 1:
        return 0
    if layer.pair() == (1, 1):
        return 0
    height, width = layer.pair()
    return height * width * image[2] * node.output_shape.size // layer.filters * max(schedule.lanes)


@rewrite
def blocks(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Plain SGD on single samples, sixty-four steps at once, exactly: the same mathematics as one by one.

    Over a block the first weight moves by a sum of outer products, W_t = W + Σ x_s·d_sᵀ, so sample t meets
    x_t·W_t = x_t·W + Σ (x_t·x_s)·d_s. All x·W and all x·x are two matrix products, and W changes once. Allowed where
    a dense layer alone reads the samples and nothing is drawn or averaged; it pays where that layer is wide. BLAS has
    two threads for the two products, which are as large as those of a batch.
    """
    if not (schedule.plain_sgd and schedule.training and schedule.batch == 1 and len(schedule.nodes) > 1):
        return schedule
    first = schedule.nodes[0]
    reads = schedule.readers(INPUT) == [first] and isinstance(first.layer, Dense) and not first.input_shapes[0].sequence
    drawn = any(isinstance(node.layer, Dropout | BatchNorm) for node in schedule.nodes)
    if not reads or drawn or first.output_shape.size * first.input_shapes[0].size < WIDE:
        return schedule
    changed = first.noted(f"{BLOCK} steps at once")
    return replace(schedule.with_nodes({first.name: changed}), block=BLOCK, blas_threads=2)


def _pairs(
    schedule: ExecutionSchedule, first: tuple[type, ...], second: type
) -> list[tuple[ScheduledNode, ScheduledNode]]:
    """Neighbours of these kinds, where the second alone reads the first."""
    found = []
    for node in schedule.nodes:
        readers = schedule.readers(node.name)
        if isinstance(node.layer, first) and len(readers) == 1 and isinstance(readers[0].layer, second):
            found.append((node, readers[0]))
    return found


def _reading(node: ScheduledNode, former: str, now: str) -> ScheduledNode:
    return replace(node, inputs=tuple(now if name == former else name for name in node.inputs))
