"""Writes a block: many steps of plain SGD on single samples, with two large products for all of them.

Over a block the first weight moves by a sum of outer products, W_t = W + Σ x_s · m_sᵀ, so the sample t meets
x_t · W_t = x_t · W + Σ (x_t · x_s) · m_s. All x · W and all x · x are two matrix products (see rewrites.blocks).

Of several lanes each normalizes some samples, and multiplies them all by the weights of some units, which it changes at
the end. The first one makes the steps between.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import GRADIENTS, PARAMETERS
from nnspec.runtime.compiler.network_writer import NetworkWriter
from nnspec.runtime.compiler.program.instructions import For
from nnspec.runtime.compiler.program.lane_program import Form, LaneProgram
from nnspec.runtime.compiler.program.operands import NUMBER, Local, Operand, Ref, expression, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.samples import write_normalized
from nnspec.runtime.compiler.schedule import ExecutionSchedule

RATES, TARGETS, SAMPLE = Local("rates"), Local("targets"), Local("t")
"""Variables: the learning rate of each step, the targets of the sample at hand, and its index."""


@dataclass(frozen=True)
class _FirstLayer:
    """The arrays of a block's first layer."""

    samples: Ref  # (steps, inputs), with a column of ones for a bias
    own_samples: Ref  # those that this lane normalizes, (steps / lanes, inputs)
    own_weight: Ref  # of the units of this lane, (inputs, units / lanes)
    own_products: Ref  # x · W of all samples with those, (steps, units / lanes)
    own_likeness: Ref  # x · xᵀ of the lane's samples with all, (steps / lanes, steps)
    moves: Ref  # −rate · d_z of each step so far, (steps, units)
    own_moves: Ref  # those of the lane's units, (steps, units / lanes)
    correction: Ref  # what the moves before add to a product, (units,)
    change: Ref  # of the lane's weight by all moves, (inputs, units / lanes)


@dataclass(frozen=True)
class _AtStep:
    """Views and numbers of one step; the lists that hold the views are made once."""

    product: Operand
    likeness: Operand
    moves_before: Operand
    move: Operand
    target: Operand
    others: Ref  # all parameters after the first weight
    d_others: Ref
    rate: Ref  # as arrays of no axes
    negative_rate: Ref


def write_block(schedule: ExecutionSchedule, dtype: str, normalized: bool) -> LaneProgram:
    """Return the program of a block of steps."""
    first, steps = schedule.nodes[0], schedule.block
    features, units = first.input_shapes[0].size, first.output_shape.size
    lanes = len(schedule.lanes)
    w = ProgramWriter(1, (1,), dtype, True, sharing=lanes)
    losses = w.local("losses")
    layer, at, target = _set_up(schedule, w)
    z = w.rows(f"{first.name}_z", units)
    row = w.view(f"{z}_row", z.reshape(lanes, units // lanes))
    correction = w.view("correction_rows", layer.correction.reshape(*row.shape))
    own = w.bytes
    samples = Ref("samples", (steps, features)).reshape(lanes, steps // lanes, features)[NUMBER]
    write_normalized(schedule, w, normalized, samples, target)
    if lanes > 1 and layer.samples.shape[1] > features:
        w.fill(layer.own_samples[:, features:], 1)
    w.barrier()
    w.dot(layer.samples, layer.own_weight, out=layer.own_products)
    w.dot(layer.own_samples, layer.samples.T, out=layer.own_likeness)
    w.barrier()
    w.assign(losses, expression("[]"))
    with w.when(formula("number == 0")) if lanes > 1 else nullcontext():
        forms = _write_steps(schedule, w, layer, at, z, row, correction, losses)
    w.barrier()
    w.dot(layer.samples.T, layer.own_moves, out=layer.change)
    w.add(layer.own_weight, layer.change, out=layer.own_weight)
    forms = {first.name: Form("planned", (units, 1), own), **forms}
    return LaneProgram.of(w, f"{steps} steps of one sample each, at these rates", losses, forms, (RATES,))


def _write_steps(
    schedule: ExecutionSchedule,
    w: ProgramWriter,
    layer: _FirstLayer,
    at: _AtStep,
    z: Ref,
    row: Ref,
    correction: Ref,
    losses: Local,
) -> Mapping[str, Form]:
    """Write the steps, one after the other: all that follows the first product; return how its layers are computed."""
    first, steps, rate = schedule.nodes[0], schedule.block, w.local("rate")
    with w.when(formula(f"len({{}}) < {steps}", RATES)):
        w.fill(layer.moves, 0)
    with w.collected() as body:
        w.dot(at.likeness, at.moves_before, out=layer.correction)
        w.add(at.product, correction, out=row)
        w.assign(TARGETS, at.target)
        network = NetworkWriter(schedule, w)
        end = network.forward(schedule.nodes[1:], {first.name: z}, {first.name: True})
        d_z = network.backward(end)[first.name]
        w.run(formula("{}.append({})", losses, Local("loss")))
        w.assign(at.rate[()], rate)
        w.negative(at.rate, out=at.negative_rate)
        w.multiply(d_z.reshape(-1), at.negative_rate, out=at.move)
        w.multiply(at.d_others, at.rate, out=at.d_others)
        w.subtract(at.others, at.d_others, out=at.others)
    w.emit(For((SAMPLE, rate), formula("enumerate({})", RATES), tuple(body)))
    return network.forms


def _set_up(schedule: ExecutionSchedule, w: ProgramWriter) -> tuple[_FirstLayer, _AtStep, Ref]:
    """Make the arrays of the first layer and the views of each step; return them, and where the samples go."""
    first, steps = schedule.nodes[0], schedule.block
    features, units = first.input_shapes[0].size, first.output_shape.size
    start, _ = schedule.parameters[f"{first.name}/weight"]
    inputs = features + (f"{first.name}/bias" in schedule.parameters)
    tail, lanes = start + inputs * units, len(schedule.lanes)
    width = units // lanes
    every_sample, own_samples = _divided(w, "x", (steps // lanes, inputs), 1)
    products, own_products = _divided(w, "products", (steps, width))
    every_likeness, own_likeness = _divided(w, "likeness", (steps // lanes, steps))
    every_move, _ = _divided(w, "moves", (steps // lanes, units), 0)
    samples = w.reshaped("x_all", every_sample, (steps, inputs))
    likeness = w.reshaped("likeness_all", every_likeness, (steps, steps))
    moves = w.reshaped("moves_all", every_move, (steps, units))
    weight = PARAMETERS[start:tail].reshape(inputs, lanes, width)[:, NUMBER]
    target = w.view("x_samples", own_samples[:, :features], contiguous=inputs == features)
    layer = _FirstLayer(
        samples=samples,
        own_samples=own_samples,
        own_weight=w.view(first.name, weight),
        own_products=own_products,
        own_likeness=own_likeness,
        moves=moves,
        own_moves=w.view("moves_own", moves.reshape(steps, lanes, width)[:, NUMBER]),
        correction=w.buffer("correction", (units,)),
        change=w.buffer("change", (inputs, width)),
    )
    every = f"for t in range({steps})"
    by_step = products.transpose(1, 0, 2)  # (steps, lanes, units / lanes)
    at = _AtStep(
        product=w.listed("product_of", formula("list({})", by_step), products)[SAMPLE],
        likeness=w.listed("likeness_to", formula(f"[{{}} {every}]", likeness[SAMPLE, :SAMPLE]), likeness)[SAMPLE],
        moves_before=w.listed("moves_before", formula(f"[{{}} {every}]", layer.moves[:SAMPLE]), layer.moves)[SAMPLE],
        move=w.listed("move_of", formula("list({})", layer.moves), layer.moves)[SAMPLE],
        target=w.once("target_of", f"[targets[t:t + 1] {every}]")[SAMPLE],
        others=w.array("others", PARAMETERS[tail:]),
        d_others=w.array("d_others", GRADIENTS[tail:]),
        rate=w.constant("step_size", f"np.zeros((), np.{w.dtype})", ()),
        negative_rate=w.constant("back", f"np.zeros((), np.{w.dtype})", ()),
    )
    return layer, at, target


def _divided(w: ProgramWriter, wish: str, shape: tuple[int, ...], fill: float | None = None) -> tuple[Ref, Ref]:
    """Return an array (lanes, *shape), and the part that this lane writes.

    A single lane has it for itself, filled; one that lanes share holds zeros at first.
    """
    if w.sharing > 1:
        return w.together(wish, shape)
    whole = w.buffer(wish, (1, *shape), fill)
    return whole, w.view(f"{whole}_own", whole[0])
