"""Writes a block: many steps of plain SGD on single samples, with two large products for all of them.

Over a block the first weight moves by a sum of outer products, W_t = W + Σ x_s · m_sᵀ, so the sample t meets
x_t · W_t = x_t · W + Σ (x_t · x_s) · m_s. All x · W and all x · x are two matrix products (see rewrites.blocks).
"""

from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import GRADIENTS, PARAMETERS
from nnspec.runtime.compiler.network_writer import NetworkWriter
from nnspec.runtime.compiler.program.instructions import For
from nnspec.runtime.compiler.program.lane_program import Form, LaneProgram
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, expression, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.samples import write_normalized
from nnspec.runtime.compiler.schedule import ExecutionSchedule

RATES, TARGETS, SAMPLE = Local("rates"), Local("targets"), Local("t")
"""Variables: the learning rate of each step, the targets of the sample at hand, and its index."""


@dataclass(frozen=True)
class _FirstLayer:
    """The arrays of a block's first layer."""

    samples: Ref  # (steps, inputs), with a column of ones for a bias
    weight: Ref  # (inputs, units)
    products: Ref  # x · W of all samples, (steps, units)
    likeness: Ref  # x · xᵀ, (steps, steps)
    moves: Ref  # −rate · d_z of each step so far, (steps, units)
    correction: Ref  # what the moves before add to a product, (units,)
    change: Ref  # of the weight by all moves, (inputs, units)


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
    w = ProgramWriter(1, (1,), dtype, True)
    losses, rate = w.local("losses"), w.local("rate")
    layer, at, target = _set_up(schedule, w)
    z = w.rows(f"{first.name}_z", units)
    row = w.view(f"{z}_row", z.reshape(-1))
    own = w.bytes
    samples = Ref("samples", (steps, features)).reshape(steps, features)
    write_normalized(schedule, w, normalized, samples, target)
    w.dot(layer.samples, layer.weight, out=layer.products)
    w.dot(layer.samples, layer.samples.T, out=layer.likeness)
    with w.when(formula(f"len({{}}) < {steps}", RATES)):
        w.fill(layer.moves, 0)
    w.assign(losses, expression("[]"))
    with w.collected() as body:
        w.dot(at.likeness, at.moves_before, out=layer.correction)
        w.add(at.product, layer.correction, out=row)
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
    w.dot(layer.samples.T, layer.moves, out=layer.change)
    w.add(layer.weight, layer.change, out=layer.weight)
    forms = {first.name: Form("planned", (units, 1), own), **network.forms}
    return LaneProgram.of(w, f"{steps} steps of one sample each, at these rates", losses, forms, (RATES,))


def _set_up(schedule: ExecutionSchedule, w: ProgramWriter) -> tuple[_FirstLayer, _AtStep, Ref]:
    """Make the arrays of the first layer and the views of each step; return them, and where the samples go."""
    first, steps = schedule.nodes[0], schedule.block
    features, units = first.input_shapes[0].size, first.output_shape.size
    start, _ = schedule.parameters[f"{first.name}/weight"]
    inputs = features + (f"{first.name}/bias" in schedule.parameters)
    tail = start + inputs * units
    samples = w.buffer("x", (steps, inputs), 1)
    target = w.view("x_samples", samples[:, :features])
    layer = _FirstLayer(
        samples=samples,
        weight=w.view(first.name, PARAMETERS[start:tail].reshape(inputs, units)),
        products=w.buffer("products", (steps, units)),
        likeness=w.buffer("likeness", (steps, steps)),
        moves=w.buffer("moves", (steps, units), 0),
        correction=w.buffer("correction", (units,)),
        change=w.buffer("change", (inputs, units)),
    )
    every = f"for t in range({steps})"
    at = _AtStep(
        product=w.listed("product_of", formula("list({})", layer.products), layer.products)[SAMPLE],
        likeness=w.listed("likeness_to", formula(f"[{{}} {every}]", layer.likeness[SAMPLE, :SAMPLE]), layer.likeness)[
            SAMPLE
        ],
        moves_before=w.listed("moves_before", formula(f"[{{}} {every}]", layer.moves[:SAMPLE]), layer.moves)[SAMPLE],
        move=w.listed("move_of", formula("list({})", layer.moves), layer.moves)[SAMPLE],
        target=w.once("target_of", f"[targets[t:t + 1] {every}]")[SAMPLE],
        others=w.array("others", PARAMETERS[tail:]),
        d_others=w.array("d_others", GRADIENTS[tail:]),
        rate=w.constant("step_size", f"np.zeros((), np.{w.dtype})", ()),
        negative_rate=w.constant("back", f"np.zeros((), np.{w.dtype})", ()),
    )
    return layer, at, target
