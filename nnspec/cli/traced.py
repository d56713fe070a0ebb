"""What `nnspec trace` shows: the sample that is asked for, and its passes as text and as JSON."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from nnspec.cli.checkpoint import chosen_split, class_names, open_to_ask
from nnspec.cli.explained import class_number
from nnspec.cli.format import format_shape, format_table
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import DataError, read_inputs
from nnspec.runtime.explain.trace import Stage, Trace, trace
from nnspec.runtime.infer.network import Network

FEW = 12
"""Numbers of which all are shown."""


class Traced(NamedTuple):
    """A trace, its network and checkpoint, and its sample: a label, a title for people, the target in words."""

    file: Path
    network: Network
    trace: Trace
    label: str
    title: str
    truth: str | None


def traced(
    checkpoint: str, sample: str, data: str | None, split: str | None, label: str | None, invert: bool
) -> Traced:
    """Return the passes of the sample that is asked for. Raises DataError, SpecError, CheckpointError."""
    file, saved = open_to_ask(checkpoint)
    network = saved.network
    names = class_names(network)
    if sample.isdecimal():
        if label is not None:
            raise click.UsageError("--label says what a file is; a sample of the data has its own target")
        name, found, chosen = chosen_split(network, data, split)
        place = int(sample)
        if place >= len(chosen):
            raise DataError(f"sample {place} is not among the {len(chosen):,} of {found.name}, {name}, from 0", 2)
        target, title = chosen.targets[place], f"sample {place} of {found.name}, {name}"
        raw = np.asarray(chosen.inputs[place : place + 1])[0]
    else:
        samples = read_inputs(Path(sample), network.preprocessing, invert)
        if len(samples) > 1:
            raise DataError(f"{sample} has {len(samples):,} samples, and one is traced: write one to a file", 2)
        (title, raw), target = samples[0], None
        if label is not None:
            if names is None:
                raise click.UsageError(f"--label names a class, and {network.spec.name} does not tell classes apart")
            target = np.asarray(class_number(label, names))
    truth = None if target is None else _truth(target, names)
    return Traced(file, network, trace(network, raw, target), title, f"{network.spec.title}: {title}", truth)


def _truth(target: Array, names: list[str] | None) -> str:
    numbers = np.asarray(target)
    if names is not None and numbers.size == 1:
        return names[int(numbers.reshape(-1)[0])]
    return described(numbers)


def described(numbers: Array) -> str:
    """Return numbers in a line: all of a few, else the range and the mean."""
    flat = np.asarray(numbers).reshape(-1)
    if flat.size <= FEW:
        return "  ".join(f"{number:.4g}" for number in flat.tolist())
    return f"{flat.min():.4g} to {flat.max():.4g}, mean {flat.mean():.4g}"


def as_text(found: Trace, title: str, truth: str | None, whole: Collection[str]) -> str:
    """Return both passes for a terminal; of the layers in `whole` every number."""
    parts = [f"{title}, target {truth}" if truth is not None else title, "forward"]
    rows = [
        (stage.name, stage.text, format_shape(stage.output.shape), described(stage.output)) for stage in found.stages
    ]
    parts.append(format_table(rows))
    if found.loss is not None:
        parts += [f"loss {found.loss:.6g}", "backward: the slope of the loss with respect to each number"]
        parts.append(format_table([row for stage in reversed(found.stages) for row in _slopes(stage)]))
    for stage in found.stages:
        if stage.name in whole:
            parts += [*_whole(stage)]
    return "\n".join(parts)


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
    with np.printoptions(precision=4, suppress=True, linewidth=118, threshold=10**9):
        return [
            f"{stage.name}, {name} ({format_shape(array.shape)}):\n{np.asarray(array)}"
            for name, array in arrays.items()
            if array is not None
        ]


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
