"""The text of a program of a prediction: the plan of a batch, the functions that it calls, and `predict` around it."""

import inspect
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnspec.exchange.ways.numpy import functions
from nnspec.exchange.ways.numpy.calls import write_function
from nnspec.runtime.arrays import empty, full
from nnspec.runtime.compiler.assemble import Plan, assemble
from nnspec.runtime.compiler.graph import reads_symbols, symbols_of
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.program.instructions import Assign, If, Instruction, printed
from nnspec.runtime.compiler.program.lane_program import LaneProgram
from nnspec.runtime.compiler.rewrites import rewritten
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.compiler.standalone import Standalone, used_names
from nnspec.runtime.infer.network import Network
from nnspec.runtime.symbol_steps import padding_of

GIVEN = ("parameters", "buffers", "samples", "shift", "scale")
"""What `network` may be given, in the order of its parameters."""

NAMES: dict[str, Any] = {
    "np": np,
    "exp": math.exp,
    "log": math.log,
    "as_strided": as_strided,
    "empty": empty,
    "full": full,
    "padding_of": padding_of,
    **dict(inspect.getmembers(functions, inspect.isfunction)),
}
"""The global names that the text may use."""

STEP = "    "


@dataclass(frozen=True)
class Written:
    """A program. `together` is a size of batch: where it is a power of two, `Network.predict` computes it by the same
    program."""

    text: str
    together: int


def written_program(network: Network, name: str, batch: int) -> Written:
    """Return the program of a network whose files are called `name`, for this many samples at once.

    Where the plan cuts the batch into lanes the program is that of the first one. Raises ExchangeError for a layer that
    has no code.
    """
    plan = plan_of(network, batch)
    lane = plan.lanes[plan.schedule.lanes[0]]
    body = _body(plan, lane)
    used = used_names("\n".join(body))
    main = _main(network, plan, name, [part for part in GIVEN if part in used])
    program = Standalone()
    program.add("np", np)
    program.add_used("\n".join([*body, main]), NAMES)
    imports = sorted({"import sys", "from pathlib import Path", *program.imports}, key=_import_order)
    if program.definitions:
        imports.insert(0, "from __future__ import annotations\n")
        program.definitions.insert(0, "Array = Any = np.ndarray")
    definitions = [_head(network, name, plan), "\n".join(imports), _constants(network, plan)]
    definitions += [*program.definitions, "\n".join(body), main]
    return Written("\n\n\n".join(definitions) + "\n", batch)


def plan_of(network: Network, batch: int) -> Plan:
    """Return the plan of a prediction, whose layers without kernels are calls of functions."""
    graph, arenas = network.programs.graph, (network.parameter_arena.offsets, network.buffer_arena.offsets)
    schedule = rewritten(ExecutionSchedule.of(graph, network.spec.loss, batch, False, *arenas))
    return assemble(schedule, network.dtype.name, network.preprocessing.normalize != "none", write_function)


def _body(plan: Plan, lane: LaneProgram) -> list[str]:
    """Return the lines of the function `network`, which makes the arrays and returns the function `step`."""
    carried = {str(each.targets[0]) for each in lane.setup if isinstance(each, Assign) and _is_carried(each)}
    setup = [each for each in lane.setup if not _is_carried(each)]
    step = [each for each in lane.step if not (isinstance(each, If) and str(each.condition).split()[0] in carried)]
    samples = plan.schedule.lanes[0]
    symbolic = reads_symbols(plan.schedule.nodes)
    used = " ".join(map(str, printed([*setup, *step])))
    lines = [
        f'{STEP}"""Return the function that computes the answers of {samples} samples.',
        "",
        f"{STEP}Its arrays are made once. Inside, an image is (channels, height, width, samples), a sequence (time,",
        f"{STEP}samples, features), and a row (features, samples).",
        f'{STEP}"""',
        *([f"{STEP}scratch = empty({lane.scratch_size}, np.{lane.dtype})"] if lane.scratch_size else []),
        *_printed(setup, STEP),
        "",
        f"{STEP}def step():",
        *([f"{STEP * 2}padding = padding_of(samples)  # padded steps at the end of each sequence"] if symbolic else []),
        *_printed(step, STEP * 2),
        f"{STEP * 2}return {lane.result}",
        "",
        f"{STEP}return step",
    ]
    given = ", ".join(part for part in GIVEN if (symbolic and part == "samples") or re.search(rf"\b{part}\b", used))
    return [f"def network({given}):", *lines]


def _is_carried(instruction: Instruction) -> bool:
    """Whether an instruction reads the state that a layer carries from batch to batch: here there is none."""
    return isinstance(instruction, Assign) and bool(re.fullmatch(r"mode\.of\('\w+'\)\.state", str(instruction.value)))


def _printed(instructions: list[Instruction], indentation: str) -> Iterator[str]:
    for line in printed(instructions, indentation):
        behind = re.sub(r"mode\.of\(('\w+')\)\.behind", r"PADDING_OF[\1][padding]", line)
        yield behind.replace("mode.padding is not None and ", "").replace("mode.padding", "padding")


def _head(network: Network, name: str, plan: Plan) -> str:
    from nnspec import __version__

    spec = network.spec
    classes = f", one for each of {len(network.classes)} classes" if network.classes else ""
    taken, given = _by(network.preprocessing.input_shape), _by(spec.output_shape or ())
    return "\n".join(
        [
            f'"""{spec.title}: {spec.input} -> {spec.output_shape}, {spec.parameter_count:,} parameters, in NumPy.',
            "",
            f"    python {name}.py samples.npy",
            "",
            f"prints the answers. In Python, `from {name} import predict`: predict(samples) takes raw samples",
            f"(batch, {taken}) and returns (batch, {given}){classes}.",
            f"The weights are in {name}.npz, by name. Written by nnspec {__version__}, nnspec export --to numpy.",
            '"""',
        ]
    )


def _by(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def _constants(network: Network, plan: Plan) -> str:
    lines = [
        'ARRAYS = dict(np.load(Path(__file__).with_suffix(".npz")))',
        f"SAMPLES = {plan.schedule.lanes[0]}  # computed at once",
        f"INPUT = {tuple(network.preprocessing.input_shape)}  # the shape of a raw sample",
        f"OUTPUT = {tuple(network.spec.output_shape or ())}",
    ]
    if network.classes is not None:
        lines.append(f"CLASSES = {tuple(network.classes)}")
    if network.preprocessing.features is not None:
        lines.append(f"FEATURES = {tuple(network.preprocessing.features)}")
    if reads_symbols(plan.schedule.nodes):
        tables = padding_after_strides(plan.schedule.nodes)
        written = ", ".join(f"{layer!r}: np.array({table.tolist()})" for layer, table in tables.items())
        if tables:
            lines.append("# By layer, the padded steps that reach it, by those of the sample.")
            lines.append(f"PADDING_OF = {{{written}}}")
    return "\n".join(lines)


def _main(network: Network, plan: Plan, name: str, given: list[str]) -> str:
    dtype, arrays = f"np.{plan.dtype}", {"parameters": network.parameter_arena, "buffers": network.buffer_arena}
    lines = [
        "def predict(samples):",
        f'{STEP}"""Return the answers (batch, {_by(network.spec.output_shape or ())})."""',
    ]
    lines.append(f"{STEP}samples = np.asarray(samples)")
    lines.append(f"{STEP}samples = samples.reshape(len(samples), *INPUT)")
    symbols = symbols_of(network.programs.graph.nodes)
    if symbols is not None:
        lines += [
            f"{STEP}if ((samples < -1) | (samples >= {symbols}) | (samples != np.rint(samples))).any():",
            f'{STEP * 2}raise ValueError("symbols are whole numbers from 0 to {symbols - 1}, and -1 after the end")',
        ]
    call = []
    for part in given:
        if part in arrays:
            names = ", ".join(repr(array) for array in arrays[part])
            lines.append(f"{STEP}{part} = np.concatenate([ARRAYS[name].ravel() for name in ({names},)])")
            call.append(part)
        elif part == "samples":
            lines.append(f"{STEP}given = np.zeros((SAMPLES, *{tuple(plan.schedule.input_shape)}), samples.dtype)")
            call.append("given")
        elif part == "shift":
            size = "samples.dtype.itemsize > (4 if samples.dtype.kind == 'f' else 2)"
            exact = "np.float64" if plan.dtype == "float64" else f"np.float64 if {size} else np.float32"
            lines.append(f"{STEP}exact = {exact}")
            call += ["ARRAYS['shift'].astype(exact)", "ARRAYS['scale'].astype(exact)"]
    lines += [
        f"{STEP}step = network({', '.join(call)})",
        f"{STEP}answers = np.empty((len(samples), *OUTPUT), {dtype})",
        f'{STEP}with np.errstate(all="ignore"):',
        f"{STEP * 2}for start in range(0, len(samples), SAMPLES):",
        f"{STEP * 3}part = samples[start : start + SAMPLES]",
        f"{STEP * 3}given[: len(part)] = part.reshape(len(part), *given.shape[1:])",
        f"{STEP * 3}answers[start : start + len(part)] = step()[: len(part)]",
    ]
    if network.preprocessing.target_scaling is not None:
        lines.append(f"{STEP}scaled = answers * ARRAYS['target_scale']")
        lines.append(f"{STEP}return (scaled + ARRAYS['target_shift']).astype({dtype})  # in the units of the targets")
    else:
        lines.append(f"{STEP}return answers")
    return "\n".join([*lines, "", "", *_printing(network)])


def _printing(network: Network) -> list[str]:
    """Return the lines that print the answers of a file."""
    shown = f"{STEP * 2}print(number, answer.tolist())"
    if network.classes is not None and (network.spec.output_shape or ())[-1:] == (1,):
        second = f"(answer[..., 0] > {network.spec.loss.threshold}) * 1"
        shown = f"{STEP * 2}print(number, np.array(CLASSES)[{second}], answer[..., 0])"
    elif network.classes is not None:
        shown = f"{STEP * 2}print(number, np.array(CLASSES)[answer.argmax(axis=-1)], answer.max(axis=-1))"
    return [
        'if __name__ == "__main__":',
        f"{STEP}if len(sys.argv) != 2:",
        f'{STEP * 2}sys.exit(f"usage: python {{sys.argv[0]}} samples.npy")',
        f"{STEP}for number, answer in enumerate(predict(np.load(sys.argv[1]))):",
        shown,
    ]


def _import_order(line: str) -> tuple[bool, bool, str]:
    return "numpy" in line, line.startswith("from"), line
