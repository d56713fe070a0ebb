"""A forward and a backward pass as a page: pictures of both, and for each layer its numbers."""

from pathlib import Path

import numpy as np

from nnspec.cli.format import format_shape
from nnspec.cli.traced import described, written_out
from nnspec.reporting.blocks import Code, Image, Page, Paragraph, Section, Table
from nnspec.reporting.sections.pictures import drawn
from nnspec.reporting.write import page_renderer
from nnspec.runtime.explain.layer_values import MOST_LAYERS, LayerValues
from nnspec.runtime.explain.trace import Stage, Trace
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.checkpointing import replace_file
from nnspec.runtime.views import PICTURES

MOST_NUMBERS = 400
"""The most numbers of an array that are written out on the page."""


def write_trace(network: Network, found: Trace, title: str, truth: str | None, out: Path) -> None:
    """Write the page. Raises NotInstalledError without Jinja2, OSError."""
    render = page_renderer()
    sections = [_forward(found)]
    if found.loss is not None:
        sections.append(_backward(found))
    sections += [_layer(stage) for stage in found.stages]
    target = f"Target {truth}, loss {found.loss:.6g}. " if truth is not None and found.loss is not None else ""
    page = Page(
        f"Trace of {title}",
        f"{target}{network.spec.title}: {len(found.stages)} stages, from the input to the output.",
        sections,
    )
    replace_file(out, render(page).encode())


def _forward(found: Trace) -> Section:
    words = "What each layer computes for the sample, from the input to the output."
    rows = []
    for stage in found.stages:
        rows.append((stage.name, stage.text, format_shape(stage.output.shape), described(stage.output)))
        for name, (value, _) in stage.parameters.items():
            rows.append((f"{stage.name}/{name}", "a parameter", format_shape(value.shape), described(value)))
    table = Table("Forward: what each layer computes", ("layer", "as written", "shape", "numbers"), rows)
    values = [(stage.name, stage.text, stage.output) for stage in found.stages]
    return Section("forward", "Forward", [*_picture(values, "Forward pass", words), table])


def _backward(found: Trace) -> Section:
    words = "The slope of the loss with respect to what each layer computes."
    back = list(reversed(found.stages))
    values = [(stage.name, stage.text, stage.gradient) for stage in back if stage.gradient is not None]
    rows = [(name, text, format_shape(slope.shape), described(slope)) for name, text, slope in values]
    rows += [
        (f"{stage.name}/{name}", "a parameter", format_shape(slope.shape), described(slope))
        for stage in back
        for name, (_, slope) in stage.parameters.items()
        if slope is not None
    ]
    table = Table("Backward: the slope of the loss", ("of", "as written", "shape", "numbers"), rows)
    return Section("backward", "Backward", [*_picture(values, "Backward pass", words), table])


def _picture(values: list[tuple[str, str, np.ndarray]], title: str, words: str) -> list[Image]:
    layers = [LayerValues(name, text, array) for name, text, array in values][:MOST_LAYERS]
    return drawn(lambda: [PICTURES["features"](layers, title)], words) if layers else []


def _layer(stage: Stage) -> Section:
    reads = f" It reads {', '.join(stage.inputs)}." if stage.inputs else ""
    blocks: list[Paragraph | Code] = [Paragraph(f"{stage.text}.{reads}")]
    arrays = {"What it computes": stage.output, "Slope of the loss with respect to that": stage.gradient}
    for name, (value, gradient) in stage.parameters.items():
        arrays |= {name: value, f"Slope of the loss with respect to {name}": gradient}
    for name, array in arrays.items():
        if array is not None:
            shape = format_shape(array.shape)
            blocks.append(Code([(_numbers(array), "")], f"{name} ({shape})", folded=array.size > 60))
    return Section(f"layer-{stage.name.replace('/', '-')}", stage.name, blocks)


def _numbers(array: np.ndarray) -> str:
    if array.size > MOST_NUMBERS:
        return f"{described(array)}: {array.size:,} numbers, too many to write here"
    return written_out(array, 100)
