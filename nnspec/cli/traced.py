"""What `nnspec trace` shows: the sample that is asked for, and its passes as text and as JSON."""

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from nnspec.cli.checkpoint import chosen_split, class_names, is_checkpoint, open_to_ask
from nnspec.cli.explained import class_number
from nnspec.cli.format import format_count, format_shape, format_table
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import DataError, read_inputs
from nnspec.runtime.explain.trace import Stage, Trace, trace
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.spec_and_data import check_with_data, compiled
from nnspec.spec_lang.check.spec_request import Request

FEW = 12
"""Numbers of which all are shown."""


_NUMBERS = re.compile(
    r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?(\s*[,\s]\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)*\s*", re.IGNORECASE
)
"""A sample or a target that is typed: 0.5,-1 or 0.5 -1."""


class Traced(NamedTuple):
    """A trace, its network and where that is from, and its sample: a label, a title for people, the target in words."""

    file: str
    network: Network
    trace: Trace
    label: str
    title: str
    truth: str | None


def traced(given: str, sample: str, data: str | None, split: str | None, label: str | None, invert: bool) -> Traced:
    """Return the passes of the sample that is asked for. Raises DataError, SpecError, CheckpointError."""
    file, network = _opened(given, data)
    names = class_names(network)
    if sample.isdecimal():
        if label is not None:
            raise click.UsageError("--label says what a file is; a sample of the data has its own target")
        name, found, chosen = chosen_split(network, data, split)
        place = int(sample)
        if place >= len(chosen):
            last = f"write 0 to {len(chosen) - 1:,}"
            raise DataError(
                f"{found.name} has {len(chosen):,} samples in its {name} split, and none is {place}: {last}", 2
            )
        target, title = chosen.targets[place], f"sample {place} of {found.name}, {name}"
        raw = np.asarray(chosen.inputs[place : place + 1])[0]
    else:
        title, raw = _typed(network, sample) if _NUMBERS.fullmatch(sample) else _from_file(network, sample, invert)
        target = None if label is None else _target(network, label, names)
    truth = None if target is None else truth_of(target, names)
    return Traced(file, network, trace(network, raw, target), title, f"{network.spec.title}: {title}", truth)


def _opened(given: str, data: str | None) -> tuple[str, Network]:
    """Return the network of a checkpoint, or that of a spec with its initial weights, and where it is from."""
    if is_checkpoint(given):
        file, saved = open_to_ask(given)
        return str(file), saved.network
    request = Request(given, {}, None, data)
    spec = request.check()
    if spec.data is None:
        return spec.title, compiled(request)
    spec, found = check_with_data(request)
    network = Network(spec, found.preprocessing)
    network.initialize(spec.train.seed)
    return given, network


def _typed(network: Network, sample: str) -> tuple[str, Array]:
    numbers, shape = _numbers(sample), network.preprocessing.input_shape
    if numbers.size != math.prod(shape):
        raise DataError(
            f"{format_count(numbers.size, 'number')} given, and a sample of {network.spec.title} has "
            f"{math.prod(shape):,} ({format_shape(shape)})",
            2,
        )
    return ", ".join(f"{number:g}" for number in numbers), numbers.reshape(shape)


def _numbers(text: str) -> Array:
    return np.array([float(number) for number in text.replace(",", " ").split()])


def _from_file(network: Network, sample: str, invert: bool) -> tuple[str, Array]:
    if not Path(sample).exists():
        raise DataError(
            f"{sample} is not a sample: write its number in the split, such as 0, the numbers of one, such as 0.5,-1, "
            "or the name of a file",
            2,
        )
    samples = read_inputs(Path(sample), network.preprocessing, invert)
    if len(samples) > 1:
        raise DataError(f"{sample} has {len(samples):,} samples, and one is traced: write one to a file", 2)
    return samples[0]


def _target(network: Network, label: str, names: list[str] | None) -> Array:
    """Return what --label says: the number of a class, or numbers as the loss compares them."""
    loss = network.spec.loss
    if names is not None and (loss.classes or loss.labels):
        return np.asarray(class_number(label, names))
    shape = loss.target_shape(network.spec.output_shape or ())
    if not _NUMBERS.fullmatch(label) or _numbers(label).size != math.prod(shape):
        count = format_count(math.prod(shape), "number")
        raise click.UsageError(f"--label is the target, for {network.spec.title} {count}, not {label!r}")
    return _numbers(label).reshape(shape)


def truth_of(target: Array, names: list[str] | None) -> str:
    """Return a target in words: the name of its class, or its numbers."""
    numbers = np.asarray(target)
    if names is not None and numbers.size == 1:
        return names[int(numbers.reshape(-1)[0])]
    return described(numbers)


def described(numbers: Array) -> str:
    """Return numbers in a line: all of a few, the rows of a matrix with a line between them, else range and mean."""
    array = np.asarray(numbers)
    flat = array.reshape(-1)
    if flat.size <= FEW:
        rows = array if array.ndim == 2 else flat[None]
        return "  |  ".join("  ".join(f"{number + 0.0:.4g}" for number in row.tolist()) for row in rows)  # no -0
    return f"{flat.min():.4g} to {flat.max():.4g}, mean {flat.mean():.4g}"


def as_text(found: Trace, title: str, truth: str | None, whole: Collection[str]) -> str:
    """Return both passes for a terminal; of the layers in `whole` every number."""
    parts = [f"{title}, target {truth}" if truth is not None else title, "forward"]
    parts.append(format_table([row for stage in found.stages for row in _values(stage)]))
    if found.loss is not None:
        parts += [f"loss {found.loss:.6g}", "backward: the slope of the loss with respect to each number"]
        parts.append(format_table([row for stage in reversed(found.stages) for row in _slopes(stage)]))
    for stage in found.stages:
        if stage.name in whole:
            parts += [*_whole(stage)]
    return "\n".join(parts)


def _values(stage: Stage) -> list[tuple[str, ...]]:
    own = {name: value for name, (value, _) in stage.parameters.items()}
    rows = [("", name, format_shape(value.shape), described(value)) for name, value in own.items()]
    return [(stage.name, stage.text, format_shape(stage.output.shape), described(stage.output)), *rows]


def _slopes(stage: Stage) -> list[tuple[str, ...]]:
    own = "its output" if stage.parameters or stage.inputs else "its numbers"
    rows: list[tuple[str, ...]] = [] if stage.gradient is None else [(stage.name, own, described(stage.gradient))]
    for name, (_, gradient) in stage.parameters.items():
        if gradient is not None:
            rows.append(("" if rows else stage.name, name, described(gradient)))
    return rows


def _whole(stage: Stage) -> list[str]:
    arrays = {"output": stage.output, "gradient of the output": stage.gradient}
    for name, (value, gradient) in stage.parameters.items():
        arrays |= {name: value, f"gradient of {name}": gradient}
    return [
        f"{stage.name}, {name} ({format_shape(array.shape)}):\n{written_out(array, 118)}"
        for name, array in arrays.items()
        if array is not None
    ]


def written_out(array: Array, width: int) -> str:
    """Return every number of an array with four significant digits, in lines of at most `width` characters."""
    numbers = np.asarray(array)
    longest = max((len(f"{number:.4g}") for number in numbers.flat), default=1)
    with np.printoptions(formatter={"all": lambda x: f"{x:.4g}".rjust(longest)}, linewidth=width, threshold=10**9):
        return str(numbers)


def stage_as_json(stage: Stage, whole: bool) -> dict[str, Any]:
    """Return a stage as JSON: its output and gradient, and where `whole` its parameters and their gradients too."""
    made: dict[str, Any] = {
        "name": stage.name, "layer": stage.text, "inputs": list(stage.inputs), "shape": list(stage.output.shape),
        "output": stage.output.tolist(), "gradient": _listed(stage.gradient),
    }  # fmt: skip
    if whole:
        made["parameters"] = {
            name: {"value": value.tolist(), "gradient": _listed(gradient)}
            for name, (value, gradient) in stage.parameters.items()
        }
    return made


def _listed(array: Array | None) -> Any:
    return None if array is None else array.tolist()
