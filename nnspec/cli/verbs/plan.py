"""nnspec plan: show shapes, sizes and the training step of a spec before training."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count, format_table
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import print_findings, print_json, print_result
from nnspec.cli.specs import spec_named

if TYPE_CHECKING:
    from nnspec.runtime.compiler.assemble import Plan
    from nnspec.runtime.compiler.listing import PlannedNode
    from nnspec.runtime.data import Data
    from nnspec.spec_lang.check.spec import Spec

MOST_LISTED_CLASSES = 20
"""The most classes that the table lists; JSON has all of them."""


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec plan specs/mnist_cnn.nnspec",
        "nnspec plan 'conv 3x3 x8 -> maxpool 2 -> dense 10 softmax' --data mnist --json",
        "nnspec plan specs/quickstart.nnspec --code > step.py && python step.py",
    ),
)
@click.argument("file", metavar="FILE")
@spec_options
@click.option("--out", metavar="DIR", help="The folder of the run.  [default: runs/NAME]")
@click.option("--without", metavar="REWRITE", multiple=True, help="Leave a rewrite out of the plan. Repeatable.")
@click.option("--code", is_flag=True, help="Print the training step as a NumPy program.")
@json_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    out: str | None,
    without: tuple[str, ...],
    code: bool,
    as_json: bool,
) -> None:
    """Show what a spec means before you train it.

    The plan has every default, the layers, the samples of each split, the run's folder, and how a training step is
    computed. FLOPs are for the forward pass of one sample; a multiply-add counts as two. A layer's memory has its
    weights, their gradients, the optimizer's state and a batch of its outputs; below the steps is what training takes
    in total, without the data. Data are read if they are on this machine, and never fetched. FILE - is standard input.
    """
    from nnspec.runtime.data.array_likes import read_in_passes
    from nnspec.runtime.infer.program_cache import with_lanes
    from nnspec.runtime.train.spec_and_data import check_with_local_data, check_with_shapes
    from nnspec.spec_lang.check.spec_request import Request

    request = Request(spec_named(file), settings, variant, data)
    if code:
        from nnspec.runtime.compiler.listing import listing

        spec = with_lanes(check_with_shapes(request)[0])
        print_result(listing(_training_plan(spec, without), spec))
        return
    with read_in_passes():
        spec, samples, absent = check_with_local_data(request)
    if not spec.nodes:
        spec, _ = check_with_shapes(request)
    spec = with_lanes(spec)
    plan = _training_plan(spec, without)
    print_findings(spec.warnings)
    if as_json:
        print_json(**_as_json(spec, plan), data=_describe_data(spec, samples, absent), run=_describe_run(spec, out))
    else:
        _print_plan(spec, plan, _describe_data(spec, samples, absent), _describe_run(spec, out))


def _as_json(spec: "Spec", plan: "Plan") -> dict[str, Any]:
    from nnspec.spec_lang.check.canonical_text import canonical_text

    return {
        "network": spec.name,
        "variant": spec.variant,
        "input_shape": list(spec.input or ()),
        "layers": _layers(spec),
        "parameters": spec.parameter_count,
        "trainable_parameters": spec.trainable_count,
        "flops": sum(node.flops() for node in spec.nodes),
        "memory_bytes": _memory(plan, spec),
        "step": [
            {**vars(node), "shape": list(node.shape), "laid": list(node.laid), "notes": list(node.notes)}
            for node in _nodes(plan)
        ],
        "rewrites": list(plan.schedule.applied),
        "lanes": list(plan.schedule.lanes),
        "expectations": [str(expectation) for expectation in spec.expectations],
        "sweeps": {key: list(values) for key, values in spec.sweeps},
        "ranges": {
            r.key: {"low": r.low, "high": r.high, "log": r.log, "step": r.step, "whole": r.whole} for r in spec.ranges
        },
        "spec": canonical_text(spec),
    }


def _print_plan(spec: "Spec", plan: "Plan", data: dict[str, Any], run: dict[str, Any]) -> None:
    from nnspec.spec_lang.check.canonical_text import canonical_text

    print_result(canonical_text(spec))
    print_result(_format_layers(spec) + "\n")
    print_result(_format_data(data) + "\n")
    print_result(_format_steps(plan, spec) + "\n")
    if spec.sweeps or spec.ranges:
        print_result(_format_sweeps(spec) + "\n")
    print_result(f"  the run's folder would be {run['out']}" + (f", but {run['problem']}" if run["problem"] else ""))


def _layers(spec: "Spec") -> list[dict[str, Any]]:
    return [
        {
            "name": node.name,
            "kind": node.layer.word,
            "output_shape": list(node.output_shape),
            "parameters": sum(parameter.size for parameter in node.parameters().values()),
            "frozen": node.name in spec.frozen and bool(node.parameters()),
            "flops": node.flops(),
            "memory_bytes": spec.memory_of(node),
        }
        for node in spec.nodes
    ]


def _format_layers(spec: "Spec") -> str:
    from nnspec.spec_lang.report.units import in_bytes

    layers = _layers(spec)
    rows = [("layer", "kind", "shape", "parameters", "FLOPs", "memory"), ("input", "", str(spec.input), "", "", "")]
    for node, layer in zip(spec.nodes, layers, strict=True):
        frozen = " frozen" if layer["frozen"] else ""
        numbers = f"{layer['parameters']:,}{frozen}", f"{layer['flops']:,}", in_bytes(layer["memory_bytes"])
        rows.append((node.name, node.layer.word, str(node.output_shape), *numbers))
    flops = sum(layer["flops"] for layer in layers)
    rows.append(("all", "", "", f"{spec.parameter_count:,}", f"{flops:,}", in_bytes(spec.memory_bytes())))
    if spec.frozen:
        rows.append(("trainable", "", "", f"{spec.trainable_count:,}", "", ""))
    return format_table(rows, right=(3, 4, 5))


def _describe_data(spec: "Spec", data: "Data | None", absent: str) -> dict[str, Any]:
    """Return the samples of each split, by class for a classifier; or why they are not known."""
    name = spec.data.word if spec.data is not None else None
    if data is None:
        return {
            "name": name,
            "at_hand": False,
            "reason": absent,
            "parts": {},
            "steps": None,
            "notes": [],
            "warnings": [],
        }
    from nnspec.runtime.train.timetable import Timetable

    counts, said = data.counts(), {"notes": list(data.notes), "warnings": list(data.warnings)}
    splits = {role: {"samples": len(split), "classes": counts[role] or None} for role, split in data.splits()}
    steps = Timetable.of(spec, len(data.train)).total
    return {"name": name, "at_hand": True, "reason": None, "parts": splits, "steps": steps, **said}


def _format_data(data: dict[str, Any]) -> str:
    splits: dict[str, Any] = data["parts"]
    if not data["at_hand"]:
        return f"  data not at hand: {data['reason']}"
    listed = [split["classes"] or {} for split in splits.values()]
    classes = list(listed[0]) if len(listed[0]) <= MOST_LISTED_CLASSES else []
    rows = [(f"data {data['name']}", *splits)]
    rows += [(f"class {name}", *(f"{counts[name]:,}" for counts in listed)) for name in classes]
    rows.append(("samples", *(f"{split['samples']:,}" for split in splits.values())))
    more = f", of {len(listed[0])} classes" if listed[0] and not classes else ""
    steps = format_count(data["steps"], "training step")
    trained = format_count(splits["train"]["samples"], "sample")
    said = [f"  {text}" for text in (*data["notes"], *(f"warning: {text}" for text in data["warnings"]))]
    table = format_table(rows, right=range(1, len(splits) + 1))
    return "\n".join([table, f"  {steps} on {trained}{more}", *said])


def _format_sweeps(spec: "Spec") -> str:
    """Return the grid of the spec's sweeps and the ranges of a search, which the planned run does not include."""
    total, grids = 1, dict(spec.sweeps)
    for values in grids.values():
        total *= len(values)
    rows = [(f"sweep {key}", ", ".join(values)) for key, values in grids.items()]
    rows += [(f"sweep {r.key}", f"{r}, a range for a search") for r in spec.ranges if r.key not in grids]
    runs = f"{format_count(total, 'run')} in all"
    if any(r.key not in grids for r in spec.ranges):
        runs = "a search: as many runs as it is given"
    return f"{format_table(rows)}\n  {runs}; this plan is for the spec without the sweeps"


def _describe_run(spec: "Spec", out: str | None) -> dict[str, Any]:
    """Return the folder of a run started now, and why it could not be written."""
    from nnspec.runtime.train.run_folder import preview_new_folder

    path, problem = preview_new_folder(spec.title, Path(out) if out is not None else None)
    return {"out": str(path), "writable": problem is None, "problem": problem}


def _training_plan(spec: "Spec", without: tuple[str, ...]) -> "Plan":
    """Return the plan of a training step on whole batches, without allocating its arrays."""
    from nnspec.runtime.compiler.rewrites import REWRITES
    from nnspec.runtime.infer.program_cache import plan_of_spec

    unknown = [name for name in without if name not in REWRITES]
    if unknown:
        raise click.BadParameter(
            f"no rewrite is called {unknown[0]}; there are {', '.join(REWRITES)}", param_hint="--without"
        )
    return plan_of_spec(spec, frozenset(without))


def _nodes(plan: "Plan") -> "list[PlannedNode]":
    from nnspec.runtime.compiler.listing import nodes_of

    return nodes_of(plan)


def _memory(plan: "Plan", spec: "Spec") -> int:
    from nnspec.runtime.compiler.listing import training_bytes

    sample_bytes = 1 if spec.data is not None and spec.augment is None else 4
    return training_bytes(plan, spec, sample_bytes) + _augmentation_memory(plan, spec)


def _augmentation_memory(plan: "Plan", spec: "Spec") -> int:
    """Return the bytes of the buffers of augmentation, 0 without it."""
    import numpy as np

    from nnspec.runtime.data.augmentation.augmenter import augmentation_bytes

    if spec.augment is None or spec.input is None:
        return 0
    height, width, channels = spec.input
    raw = np.dtype(np.uint8 if spec.data is not None else np.float32)
    return augmentation_bytes(spec.augment, (height, width, channels), raw, plan.schedule.batch * plan.schedule.block)


def _format_steps(plan: "Plan", spec: "Spec") -> str:
    """Return how a step is computed: each operation, and what the rewrites made of it."""
    from nnspec.spec_lang.report.units import in_bytes

    schedule = plan.schedule
    rows = [("step", "kernel", "form", "in memory", "FLOPs a batch", "buffers", "")]
    for n in _nodes(plan):
        laid = "x".join(map(str, n.laid))
        rows.append((n.name, n.kind, n.form, laid, f"{n.flops:,}", in_bytes(n.bytes), ", ".join(n.notes)))
    lanes = schedule.lanes
    shards = format_count(lanes[0], "sample")
    if len(lanes) > 1:
        shards = f"{' + '.join(map(str, lanes))} samples in {len(lanes)} lanes"
    if schedule.block > 1:
        shards = f"{schedule.block} steps of one sample at once"
        shards += f", in {len(lanes)} lanes of some units each" if len(lanes) > 1 else ""
    memory = f"{in_bytes(_memory(plan, spec))} of memory, {in_bytes(plan.bytes)} of it buffers"
    if spec.augment is not None:
        memory += f", {in_bytes(_augmentation_memory(plan, spec))} for augmentation before each step"
    rewrites = ", ".join(schedule.applied) or "none"
    steps = format_table(rows, right=(4, 5))
    return f"{steps}\n\n  {shards}; {memory}, in {plan.dtype}\n  rewrites: {rewrites}"
