"""What a plan computes and costs, as tables show it, and the whole training step as a standalone program."""

import math
import textwrap
from dataclasses import dataclass
from math import prod
from types import SimpleNamespace

import numpy as np

from nnspec.runtime import optimizers
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.graph import draws_of, symbols_of
from nnspec.runtime.compiler.program.instructions import INDENTATION
from nnspec.runtime.compiler.signature import PROGRAM_NAMES, lane_call, lane_header
from nnspec.runtime.compiler.standalone import Standalone, used_names
from nnspec.runtime.layers import Mode
from nnspec.spec_lang.check.spec import Spec


@dataclass(frozen=True)
class PlannedNode:
    """One operation of a plan: `form` is "planned" or "plain", `notes` what the rewrites changed.

    `laid` is the shape in memory of its output in the first lane, `bytes` the memory of its buffers in all lanes.
    """

    name: str
    kind: str
    form: str
    shape: tuple[int, ...]
    flops: int
    laid: tuple[int, ...]
    bytes: int
    notes: tuple[str, ...]


def nodes_of(plan: Plan) -> list[PlannedNode]:
    """Return every operation in the order of computation; FLOPs are those of a batch's forward pass."""
    lanes = [plan.lanes[size].forms for size in plan.schedule.lanes]
    return [
        PlannedNode(
            node.name,
            node.layer.word,
            lanes[0][node.name].kind,
            tuple(node.output_shape),
            node.flops() * plan.schedule.batch,
            lanes[0][node.name].laid,
            sum(forms[node.name].bytes for forms in lanes),
            node.notes,
        )
        for node in plan.schedule.nodes
    ]


def training_bytes(plan: Plan, spec: Spec, sample_bytes: int) -> int:
    """Return the memory of a training step: parameters, slots, gradients of each lane, buffers, and a raw batch.

    `sample_bytes` is the size of one number of a raw sample. The data themselves and evaluation's programs come on top.
    """
    size = 4 if plan.dtype == "float32" else 8
    schedule = plan.schedule
    further = 0 if schedule.block > 1 else len(schedule.lanes) - 1  # gradients, next to the summed ones
    summed: int = spec.parameter_count - sum(part.stop - part.start for part in schedule.split)
    arenas = spec.parameter_count * (2 + len(spec.optimizer.slots)) + summed * further
    drawn = sum(schedule.batch * shape.size * 4 for shape in draws_of(schedule.nodes).values())
    batch = schedule.batch * schedule.block * (schedule.input_shape.size * sample_bytes + 8)
    return size * arenas + plan.bytes + drawn + batch


def listing(plan: Plan, spec: Spec) -> str:
    """Return the training step of a spec as one program: run it, and it trains on noise and prints the loss.

    The lanes are what a run executes, character by character. The optimizer is the source of the project's own rule,
    with all that it uses. Plain forms are imported from the project, and nothing else is.
    """
    lanes = [lane.text.replace(lane_header(), lane_header(f"lane_of_{size}"), 1) for size, lane in plan.lanes.items()]
    lanes_text = "\n\n".join(lanes)
    used = set(used_names(lanes_text))
    plain = used & {"plain_layer", "plain_loss", "plain_merge"}
    program = Standalone(imported=frozenset({*plain, "Mode"} if plain else ()))
    program.add("np", np)
    program.add_used(lanes_text, PROGRAM_NAMES)
    if "mode" in used:
        program.add("Mode", Mode)
    rule = optimizers.RULES[type(spec.optimizer)]
    program.add("SimpleNamespace", SimpleNamespace)
    program.add("in_blocks", optimizers.in_blocks)
    program.add(rule.__name__, rule)
    options = ", ".join(f"{name}={value!r}" for name, value in program.attributes_of(spec.optimizer).items())
    update = f"update = in_blocks({rule.__name__}(SimpleNamespace({options})))"
    numbers = f"{spec.parameter_count:,} parameters, batches of {plan.schedule.batch}"
    title = f'"""One training step of {spec.name}: {numbers}."""'
    return (
        "\n\n\n".join(
            [
                title,
                "\n".join(["from __future__ import annotations", "", *program.imports]),
                *program.definitions,
                lanes_text.rstrip(),
                update,
                _demonstration(plan, spec, "mode" in used),
            ]
        )
        + "\n"
    )


def _demonstration(plan: Plan, spec: Spec, moded: bool) -> str:
    schedule = plan.schedule
    dtype = f"np.{plan.dtype}"
    batch = schedule.batch * schedule.block
    classes = schedule.output_shape[-1] if schedule.output_shape else 1
    shape = (batch, *spec.loss.target_shape(schedule.output_shape))
    target = f"random.integers(0, {classes}, {shape})"
    if spec.loss.distributions:
        target = f"random.dirichlet(np.ones({classes}), {shape[:-1]}).astype({dtype})"
    elif not spec.loss.classes:
        target = f"random.integers(0, 2, {shape}).astype({dtype})"
    buffers = sum(prod(shape) for _, shape in schedule.buffers.values())
    scale = 1 / math.sqrt(max((p.fan_in for p in spec.parameters().values()), default=1))
    drawn = {name: (schedule.batch, *shape) for name, shape in draws_of(schedule.nodes).items()}
    lines = [
        "def main(steps=10):",
        f'{INDENTATION}"""Train on noise: the same samples again and again, whose loss falls."""',
        f"{INDENTATION}random = np.random.default_rng(0)",
        f"{INDENTATION}parameters = (random.standard_normal({spec.parameter_count}) * {scale:.4g}).astype({dtype})",
        f"{INDENTATION}gradients = [np.zeros_like(parameters) for _ in range({len(schedule.lanes)})]",
        f"{INDENTATION}slots = {{name: np.zeros_like(parameters) for name in {list(spec.optimizer.slots)}}}",
        f"{INDENTATION}buffers = np.ones({buffers}, {dtype})",
        f"{INDENTATION}samples = {_samples(plan, batch)}",
        f"{INDENTATION}targets = {target}",
        *([f"{INDENTATION}weights = np.ones({batch}, {dtype})"] if schedule.weighted else []),
        f"{INDENTATION}draws = "
        + (f"{{name: np.ones(shape, np.float32) for name, shape in {drawn}.items()}}" if drawn else "{}"),
        f"{INDENTATION}shift, scale = np.array([128], {dtype}), np.array([64], {dtype})",
        f"{INDENTATION}steps_of_lanes, together = [], {{}}",
    ]
    start = 0
    for i, size in enumerate(schedule.lanes):
        part = f"{start}:{start + size * schedule.block}"
        drawn_part = f"{{name: drawn[{part}] for name, drawn in draws.items()}}" if drawn else "{}"
        seen = part if not schedule.splits_samples else ":"
        step = lane_call(
            f"lane_of_{size}",
            **{name: name for name in ("parameters", "buffers", "shift", "scale", "together")},
            gradients=f"gradients[{i}]",
            summed="gradients[0]",
            samples=f"samples[{seen}]",
            targets=f"targets[{part}]",
            every_target="targets",
            weights=f"weights[{part}]" if schedule.weighted else "None",
            draws=drawn_part,
            mode=f"Mode(training=True, draws={drawn_part})" if moded else "None",
            number=str(i),
        )
        lines.append(f"{INDENTATION}steps_of_lanes.append({step})")
        start += size * schedule.block
    rate = spec.optimizer.lr
    lines.append(f"{INDENTATION}for number in range(1, steps + 1):")
    if drawn:
        lines.append(f"{INDENTATION * 2}for drawn in draws.values():")
        lines.append(f"{INDENTATION * 3}random.random(out=drawn, dtype=np.float32)")
    if schedule.block > 1:
        lines.append(f"{INDENTATION * 2}losses = steps_of_lanes[0]([{rate!r}] * {schedule.block})")
        lines.append(f"{INDENTATION * 2}print(number, sum(losses) / {schedule.block})")
    else:
        lines += _summing(max(lane.barriers for lane in plan.lanes.values()))
        if len(schedule.lanes) > 1:
            lines.append(f"{INDENTATION * 2}for other in gradients[1:]:")
            lines.append(f"{INDENTATION * 3}np.add(gradients[0], other, out=gradients[0])")
        lines.append(f"{INDENTATION * 2}update(parameters, gradients[0], slots, number, {rate!r})")
        lines.append(f"{INDENTATION * 2}print(number, loss)")
    return textwrap.dedent("\n".join([*lines, "", "", 'if __name__ == "__main__":', f"{INDENTATION}main()"]))


def _samples(plan: Plan, batch: int) -> str:
    """The expression of raw samples: symbols, bytes that are normalized, or numbers that are taken as they are."""
    shape = (batch, *plan.schedule.input_shape)
    if (symbols := symbols_of(plan.schedule.nodes)) is not None:
        return f"random.integers(0, {symbols}, {shape})"
    if plan.normalized:
        return f"random.integers(0, 256, {shape}, np.uint8)"
    return f"random.standard_normal({shape}).astype(np.{plan.dtype})"


def _summing(barriers: int) -> list[str]:
    """The lines of the loss of all lanes: one after the other, or each as far as its next barrier."""
    if not barriers:
        return [f"{INDENTATION * 2}loss = sum(step() for step in steps_of_lanes)"]
    return [
        f"{INDENTATION * 2}lanes = [step() for step in steps_of_lanes]",
        f"{INDENTATION * 2}for _ in range({barriers + 1}):",
        f"{INDENTATION * 3}losses = [next(lane) for lane in lanes]  # the last of them; a barrier gives None",
        f"{INDENTATION * 2}loss = sum(losses)",
    ]
