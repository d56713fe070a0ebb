"""The rewrites: each maps a schedule to a faster one that computes the same numbers.

`REWRITES` is their order. A rewrite asks layers for the facts that they declare, never for their class. Each can be
left out (`nnspec plan --without NAME`). Choices depend only on the spec and its shapes, never on a clock or the
machine: equal specs give equal bits. `python -m benchmarks` measures what each gains; docs/performance.md
reports it.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil, prod

from nnspec.runtime.compiler.graph import draws_of
from nnspec.runtime.compiler.kernels import KERNELS, meets
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.schedule import STEP_WORTH_A_PARTNER, STEP_WORTH_A_THREAD, ExecutionSchedule, ScheduledNode
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.statements import LANES

BLOCK_STEPS = 64  # steps made at once
FEWEST_SAMPLES = 8  # in each of more than two lanes
FEWEST_ANSWERS = 16  # samples in each lane of a prediction
MOST_OUTPUTS = 250_000  # numbers that a layer gives to the next one in a cache
FLOPS_A_WEIGHT = 100  # in each of more than two lanes
FEWEST_UNITS = 64  # in each lane of a block
WORTH_SPLITTING = 50_000  # weights of a first layer whose gradients would be added up
WORTH_EXCHANGING = 200_000  # those of another one
UNITS_A_SAMPLE = 4  # in such a layer
WIDE = 10_000  # weights of a first layer that is worth a block
FEWEST_COLUMNS = 1_000_000  # numbers in the columns of all convolutions; fewer stay in a cache until they are read
MOST_COLUMNS = 1_000_000  # numbers in those of one; more have left it before the last is written
FEWEST_PRODUCTS = 1_000_000  # multiply-adds of a convolution that is cut into rows; fewer are one quick product
SAVED = 14  # multiply-adds that tiles save for each number that is transformed; fewer take less time than that
FEWEST_IN_A_RUN = 8  # samples, which are contiguous where tiles are gathered
SHORTEST_ROW = 32  # places and samples in a row that is worth a product

Rewrite = Callable[[ExecutionSchedule], ExecutionSchedule]

REWRITES: dict[str, Rewrite] = {}
"""Every rewrite by its name, in the order in which they are applied."""

EXAMPLES: dict[str, str] = {}
"""A spec on which each rewrite applies, by its name."""


def rewrite(example: str) -> Callable[[Rewrite], Rewrite]:
    """Register a rewrite under its own name, with a spec on which it applies."""

    def register(function: Rewrite) -> Rewrite:
        REWRITES[function.__name__] = function
        EXAMPLES[function.__name__] = example
        return function

    return register


def rewritten(schedule: ExecutionSchedule, without: frozenset[str] = frozenset()) -> ExecutionSchedule:
    """Return the schedule after all rewrites except `without`. Raises KeyError for an unknown name."""
    for name in without:
        if name not in REWRITES:
            raise KeyError(name)
    for name, apply in REWRITES.items():
        if name not in without:
            after = apply(schedule)
            if after is not schedule:
                schedule = replace(after, applied=(*schedule.applied, name))
    return schedule


@rewrite("input 8x8x1\nconv 3x3 x2 relu -> maxpool 2 -> dense 3 softmax")
def pool_first(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """max(relu(x)) = relu(max(x)): both are monotone, so the bits are equal; a 2x2 pool leaves a quarter of the data.

    The gradient is the same too: a positive largest number of a window is the largest either way, and
    relu stops the gradient of any other.
    """
    for first, pool in _pairs(schedule):
        if not (first.layer.monotone and pool.layer.selects):
            continue
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


@rewrite("input 8x8x1\nconv 3x3 x2 -> maxpool 2 -> dense 3 softmax")
def pool_phases(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """The outputs of a convolution in the order of the pool after it, so that pooling reads contiguous memory.

    Only the order in memory changes, and outputs that no window of the pool covers are not computed. Allowed where only
    the pool reads the convolution, its windows do not overlap, and it has no padding.
    """
    changed: dict[str, ScheduledNode] = {}
    for conv, pool in _pairs(schedule):
        k = pool.layer.tiles(pool.input_shapes[0]) or 1
        planned = type(conv.layer) in KERNELS and type(pool.layer) in KERNELS
        if k > 1 and planned and conv.layer.columns(conv.input_shapes[0]) is not None:
            changed[conv.name] = replace(conv, phases=k).noted(f"places in {k}x{k} phases")
            changed[pool.name] = replace(pool, phases=k).noted("of contiguous phases")
    return schedule.with_nodes(changed) if changed else schedule


@rewrite("input 4\ndense 3 softmax")
def fold_bias(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """[W; b]·[x; 1] = W·x + b: the bias is one more row of the weight, next to it in the arena, and needs no pass
    of its own.

    Its gradient is a row of the weight's gradient. Sums have another order, so the last bits may differ.
    """
    return replace(schedule, fold_bias=True)


@rewrite("input 8x8x1\ndense 3 softmax")
def flat_samples(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Samples that every reader flattens are read as rows, in the order of the data.

    The memory is the same, so the bits are equal. One contiguous copy replaces two, the first of which would transpose
    the samples number by number.
    """
    readers = schedule.readers(INPUT)
    flat = all(node.layer.flattens(node.input_shapes[0]) for node in readers)
    return replace(schedule, flat_samples=True) if readers and flat and len(schedule.input_shape) > 1 else schedule


@rewrite("input 4\ndense 3 softmax")
def no_first_gradient(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """The gradient of the samples is not used, so the first layers do not compute it."""
    return replace(schedule, first_gradient=False) if schedule.training else schedule


@rewrite("input 1000\ndense 64 relu -> dense 3 softmax\ntrain batch=32")
def lanes(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """A batch cut into shards: as many as the spec says, or two where it leaves that open and a step is long.

    The shards are part of the plan: the number of processes or threads that compute them changes nothing, and
    gradients are added in a fixed order. In training worker processes compute them, at a cost of a few microseconds,
    which pays from a step of 50 µs on, for any layers. At inference threads do, at a cost of 100 µs: short steps stay
    whole, and longer ones of convolutions have as many lanes as it takes for their outputs to stay in a cache. Lanes
    meet at a barrier to sum the statistics of a normalized batch, or its real steps. A plain form cannot, so a plain
    layer that mixes samples keeps the batch whole.
    """
    asked = schedule.lanes_asked
    if not schedule.training:
        flops = schedule.step_flops()
        pay = [count for count in LANES if 2 * flops >= count * STEP_WORTH_A_THREAD or count == 1]
        count = min(max(asked or 2, 2), pay[-1])
        return schedule.in_lanes(max(count, _lanes_in_the_cache(schedule)) if count > 1 else count)
    if not divisible(schedule):
        return schedule
    if asked is None:
        asked = 2 if schedule.step_flops() >= STEP_WORTH_A_PARTNER else 1
    return schedule.in_lanes(asked)


@rewrite("input 1000\ndense 64 relu -> dense 3 softmax\ntrain batch=32")
def split_inputs(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """W·x = Σ Wₙ·xₙ: each lane multiplies some inputs of a dense layer, of all samples, by the weights of these.

    So it reads only some rows of the weight, and the rows that it writes of the gradient need no adding up; instead its
    partial sums go to the others, and of layers but the first the inputs and their gradients. Sums have another order,
    so the last bits may differ. Allowed where inputs and samples divide by the lanes; it pays where a large weight has
    many inputs or units for each sample.
    """
    lanes = len(schedule.lanes)
    if lanes == 1 or not schedule.training or schedule.batch % lanes:
        return schedule
    ties = {tie.array for node in schedule.nodes for tie in node.ties.values()}
    changed = {}
    for node in schedule.nodes:
        shape, alone = node.input_shapes[0], len(node.inputs) == 1 and not node.frozen and not node.ties
        dense = node.layer.affine(shape) and shape.size % lanes == 0 and type(node.layer) in KERNELS
        if dense and alone and f"{node.name}/weight" not in ties and _pays_by_inputs(node, schedule):
            changed[node.name] = replace(node, split=True).noted(f"{shape.size // lanes} inputs in each lane")
    return schedule.with_nodes(changed) if changed else schedule


def _pays_by_inputs(node: ScheduledNode, schedule: ExecutionSchedule) -> bool:
    """Return whether adding up a weight's gradients costs lanes more than exchanging what they need of each other.

    The first layer exchanges sums alone, and only if no other layer reads the samples, which come as rows.
    """
    inputs, units = node.input_shapes[0].size, node.output_shape.size
    if INPUT not in node.inputs:
        return inputs * units >= WORTH_EXCHANGING and units >= UNITS_A_SAMPLE * schedule.batch
    rows = len(schedule.input_shape) == 1 or schedule.flat_samples
    alone = rows and not schedule.first_gradient and schedule.readers(INPUT) == [node]
    return alone and inputs * units >= WORTH_SPLITTING and inputs >= 2 * schedule.batch


def _lanes_in_the_cache(schedule: ExecutionSchedule) -> int:
    """Return from how many lanes on the outputs of each convolution stay in a cache until the next layer reads them."""
    most = max((node.output_shape.size for node in schedule.nodes if node.layer.gathers), default=0)
    counts = [count for count in LANES if count == 1 or schedule.batch // count >= FEWEST_ANSWERS]
    return next((count for count in counts if most * schedule.batch <= count * MOST_OUTPUTS), counts[-1])


def lanes_that_pay(schedule: ExecutionSchedule, cores: int) -> int:
    """Return the number of lanes for a training step on a machine with this number of cores: 1, 2, 4, 8 or 16.

    A lane has two million operations or more, so that a message to another process pays. Of more than two lanes each
    has eight samples or more, as a product of fewer columns takes as long, and a hundred operations or more for each
    weight, as every lane reads them and writes a gradient that is to be summed. Lanes of a block have 64 units or more.
    """
    if schedule.block == 1 and not divisible(schedule):
        return 1
    flops = schedule.step_flops() * schedule.block
    if schedule.block > 1:
        room = schedule.nodes[0].output_shape.size // FEWEST_UNITS
    else:
        weights = max(sum(prod(shape) for _, shape in schedule.parameters.values()), 1)
        several = min(schedule.batch // FEWEST_SAMPLES, flops // (FLOPS_A_WEIGHT * weights))
        room = min(max(several, 2), schedule.batch)
    most = min(cores, room, flops // (STEP_WORTH_A_PARTNER // 2))
    return max(count for count in LANES if count <= max(most, 1))


def divisible(schedule: ExecutionSchedule) -> bool:
    """Return whether a training step on a batch is a sum over its lanes: only kernels with barriers mix samples, and
    the loss weighs lanes by their real steps."""
    counted = schedule.loss.skips_padding and is_steps(schedule.output_shape)
    mixing = [node for node in schedule.nodes if node.layer.mixes_samples is not False and not node.settled]
    whole = [node for node in mixing if not meets(node)]
    return not whole and (counted or not schedule.output_shape.sequence)


@rewrite("input 14x14x1\nconv 3x3 x32 -> conv 3x3 x64 pad=same -> maxpool 2 -> dense 3 softmax\ntrain batch=16")
def winograd(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """3x3 windows by Winograd's F(2x2, 3x3): 16 multiplications for four outputs instead of 36, between sums.

    Equal in exact arithmetic; errors of rounding are about twice those of windows. Allowed where windows move by
    one cell without gaps; it pays where channels and filters are many enough for the sums.
    """
    if max(schedule.lanes) < FEWEST_IN_A_RUN:
        return schedule
    paying = [node for node in schedule.nodes if type(node.layer) in KERNELS and _pays_in_tiles(node)]
    changed = {node.name: replace(node, tiles=True).noted("tiles of 2x2 outputs") for node in paying}
    return schedule.with_nodes(changed) if changed else schedule


def _pays_in_tiles(node: ScheduledNode) -> bool:
    """Return whether tiles save many multiply-adds of a 3x3 window for each number that they transform."""
    shape = node.input_shapes[0]
    columns, image = node.layer.columns(shape), shape.as_image()
    if columns is None or image is None or node.layer.adjacent_rows(shape) != 3 or columns[0] != 9 * image[2]:
        return False
    channels, filters, k = image[2], node.output_shape[2], node.phases
    tall, wide = (length // k * k for length in node.output_shape[:2])
    tiles = ceil(tall / 2) * ceil(wide / 2)
    moved = (16 if k == 2 else 24) * tiles * (channels + filters)  # where no pool reads tiles they are copied too
    return k <= 2 and channels * filters * (9 * tall * wide - 16 * tiles) >= SAVED * moved


@rewrite("input 12x12x4\nconv 3x3 x8 pad=same -> conv 3x3 x4 -> dense 3 softmax\ntrain batch=64")
def slabs(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Windows gathered along the columns only: what a row of windows sees are rows of these, adjacent in memory.

    The products are the same, cut by rows of the image, and the gradient of the input is such a convolution too, so
    sums have another order and the last bits may differ. It gathers a third of the numbers of a 3x3 window's columns.
    Allowed where windows move by one cell without gaps; it pays from a million multiply-adds on.
    """
    changed: dict[str, ScheduledNode] = {}
    for node in schedule.nodes:
        shape, samples = node.input_shapes[0], max(schedule.lanes)
        if node.tiles or node.layer.adjacent_rows(shape) is None or type(node.layer) not in KERNELS:
            continue
        outputs = node.output_shape.size
        row = node.output_shape[1] // node.phases * samples
        columns = node.layer.columns(shape)
        if columns is not None and columns[0] * outputs * samples > FEWEST_PRODUCTS and row >= SHORTEST_ROW:
            changed[node.name] = replace(node, slabs=True).noted("windows gathered along one axis")
    return schedule.with_nodes(changed) if changed else schedule


@rewrite("input 24x24x4\nconv 3x3 x4 pad=same -> conv 3x3 x4 pad=same -> dense 3 softmax\ntrain batch=256")
def columns_again(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """The columns of all convolutions in one buffer, or the slabs of those of one shape, gathered again in the
    backward pass: the bits are equal.

    A product then reads columns that are still in the cache. It costs a copy, and saves a small residual network a
    sixth of its step and more than a third of its memory.
    """
    columns = {node: count for node in schedule.nodes if (count := _columns(node, schedule))}
    if not schedule.training or sum(columns.values()) <= FEWEST_COLUMNS:
        return schedule
    again = [node for node, count in columns.items() if count <= MOST_COLUMNS]
    changed = {node.name: replace(node, again=True).noted("columns gathered twice") for node in again}
    return schedule.with_nodes(changed) if changed else schedule


def _columns(node: ScheduledNode, schedule: ExecutionSchedule) -> int:
    """Return the size of the columns or slabs that a lane gathers for a node; 0 without any, as for windows of one
    cell."""
    shape = node.input_shapes[0]
    columns, image = node.layer.columns(shape), shape.as_image()
    if node.tiles or columns is None or image is None or columns[0] == image[2] or type(node.layer) not in KERNELS:
        return 0
    numbers, windows = columns
    rows = node.layer.adjacent_rows(shape) if node.slabs else None
    return numbers * windows * max(schedule.lanes) // (rows or 1)


@rewrite("input 1000\ndense 50 relu -> dense 3 softmax\noptimizer sgd lr=0.1\ntrain batch=1")
def blocks(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """Plain SGD on single samples, 64 steps at once: the same mathematics as one by one.

    Over a block the first weight moves by a sum of outer products, W_t = W + Σ x_s·d_sᵀ, so sample t is multiplied as
    x_t·W_t = x_t·W + Σ (x_t·x_s)·d_s. All x·W and all x·x are two matrix products, and W changes once. Allowed where
    only a dense layer reads the samples and nothing is drawn, averaged, weighted or shared; it pays where that layer
    is wide. Each lane computes some of its units.
    """
    if schedule.weighted or not (schedule.plain_sgd and schedule.training and schedule.batch == 1):
        return schedule
    if len(schedule.nodes) < 2 or any(node.ties for node in schedule.nodes):
        return schedule
    first = schedule.nodes[0]
    reads = schedule.readers(INPUT) == [first] and first.layer.affine(first.input_shapes[0])
    alone = all(node.layer.mixes_samples is False for node in schedule.nodes) and not draws_of(schedule.nodes)
    if not reads or not alone or first.output_shape.size * first.input_shapes[0].size < WIDE:
        return schedule
    changed = first.noted(f"{BLOCK_STEPS} steps at once")
    schedule = replace(schedule.with_nodes({first.name: changed}), block=BLOCK_STEPS)
    units = first.output_shape.size
    count = max(n for n in LANES if n <= (schedule.lanes_asked or 1) and units % n == 0)
    return replace(schedule, lanes=(1,) * count)


def _pairs(schedule: ExecutionSchedule) -> list[tuple[ScheduledNode, ScheduledNode]]:
    """Return pairs of which the second is the only reader of the first and reads nothing else."""
    readers = ((node, schedule.readers(node.name)) for node in schedule.nodes)
    return [(node, found[0]) for node, found in readers if len(found) == 1 and len(found[0].inputs) == 1]


def _reading(node: ScheduledNode, former: str, now: str) -> ScheduledNode:
    return replace(node, inputs=tuple(now if name == former else name for name in node.inputs))
