"""nnspec plan: what a spec comes to, before anything is trained."""

from typing import TYPE_CHECKING, Any

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._options import changes, json_flag
from nnspec.cli._say import result, result_json
from nnspec.cli._words import table

if TYPE_CHECKING:
    from runtime.compiler.assemble import Plan
    from runtime.compiler.listing import PlannedNode
    from spec_lang.spec import Spec


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
@changes
@click.option("--without", metavar="REWRITE", multiple=True, help="Leave a rewrite out of the plan; repeatable.")
@click.option("--code", is_flag=True, help="Print the training step as the NumPy program that it is.")
@json_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    without: tuple[str, ...],
    code: bool,
    as_json: bool,
) -> None:
    """Show shapes, parameters, FLOPs, memory, every default, and how a step is computed.

    Data are read only where they decide the shape of a sample, as a table does. FLOPs are those of one sample's forward
    pass, a multiply-add counted as two. Memory is that of a training step; the data themselves come on top.
    """
    from spec_lang.request import Request
    from spec_lang.resolve import resolved

    request = Request(file, settings, variant, data)
    spec = request.check()
    if spec.input is None:
        from runtime.prepare import with_shapes

        spec, _ = with_shapes(request)
    plan = _training_plan(spec, without)
    if code:
        from runtime.compiler.listing import listing

        result(listing(plan, spec))
        return
    layers = [
        {
            "name": node.name,
            "kind": node.layer.word,
            "output_shape": list(node.output_shape),
            "parameters": sum(parameter.size for parameter in node.parameters().values()),
            "flops": node.flops(),
        }
        for node in spec.nodes
    ]
    if as_json:
        result_json(
            network=spec.name,
            input_shape=list(spec.input or ()),
            layers=layers,
            parameters=spec.parameter_count,
            flops=sum(node.flops() for node in spec.nodes),
            memory_bytes=_memory(plan, spec),
            step=[{**vars(node), "shape": list(node.shape), "notes": list(node.notes)} for node in _nodes(plan)],
            rewrites=list(plan.draft.applied),
            lanes=list(plan.draft.lanes),
            blas_threads=plan.draft.blas_threads,
            spec=resolved(spec),
        )
    else:
        result(resolved(spec))
        result(_drawn(spec, layers))
        result(_planned(plan, spec))


def _drawn(spec: "Spec", layers: list[dict[str, Any]]) -> str:
    rows = [("layer", "kind", "shape", "parameters", "FLOPs"), ("input", "", str(spec.input), "", "")]
    for node, layer in zip(spec.nodes, layers, strict=True):
        numbers = f"{layer['parameters']:,}", f"{layer['flops']:,}"
        rows.append((node.name, node.layer.word, str(node.output_shape), *numbers))
    flops = sum(layer["flops"] for layer in layers)
    rows.append(("all", "", "", f"{spec.parameter_count:,}", f"{flops:,}"))
    return table(rows, right=(3, 4)) + "\n"


def _training_plan(spec: "Spec", without: tuple[str, ...]) -> "Plan":
    """The plan of a training step on whole batches; nothing is allocated."""
    from runtime.compiler.programs import plan_of_spec
    from runtime.compiler.rewrites import REWRITES

    unknown = [name for name in without if name not in REWRITES]
    if unknown:
        raise click.BadParameter(
            f"no rewrite is called {unknown[0]}; there are {', '.join(REWRITES)}", param_hint="--without"
        )
    return plan_of_spec(spec, frozenset(without))


def _nodes(plan: "Plan") -> "list[PlannedNode]":
    from runtime.compiler.listing import nodes_of

    return nodes_of(plan)


def _memory(plan: "Plan", spec: "Spec") -> int:
    from runtime.compiler.listing import training_bytes

    return training_bytes(plan, spec, sample_bytes=1 if spec.data is not None else 4)


def _planned(plan: "Plan", spec: "Spec") -> str:
    """How a step is computed: each operation, and what the rewrites made of it."""
    from spec_lang.ends import in_bytes

    draft = plan.draft
    rows = [("step", "kernel", "form", "FLOPs a batch", "")]
    rows += [(n.name, n.kind, n.form, f"{n.flops:,}", ", ".join(n.notes)) for n in _nodes(plan)]
    size = " + ".join(map(str, draft.lanes))
    shards = f"{size} samples in {len(draft.lanes)} lanes" if len(draft.lanes) > 1 else f"{size} samples"
    if draft.block > 1:
        shards = f"{draft.block} steps of one sample at once"
    threads = (
        "one BLAS thread" + (" each" if len(draft.lanes) > 1 else "") if draft.blas_threads == 1 else "two BLAS threads"
    )
    memory = f"{in_bytes(_memory(plan, spec))} of memory, {in_bytes(plan.bytes)} of it buffers"
    rewrites = ", ".join(draft.applied) or "none"
    return table(rows, right=(3,)) + f"\n\n  {shards}, {threads}; {memory}, in {plan.dtype}\n  rewrites: {rewrites}"
