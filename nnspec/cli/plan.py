"""nnspec plan: what a spec comes to, before anything is trained."""

from typing import TYPE_CHECKING, Any

import click

from nnspec.cli._command import Section, Verb
from nnspec.cli._options import changes, json_flag
from nnspec.cli._say import result, result_json
from nnspec.cli._words import table

if TYPE_CHECKING:
    from spec_lang.spec import Spec


@click.command(
    cls=Verb,
    section=Section.SPECS,
    examples=(
        "nnspec plan specs/mnist_cnn.nnspec",
        "nnspec plan 'conv 3x3 x8 -> maxpool 2 -> dense 10 softmax' --data mnist --json",
    ),
)
@click.argument("file", metavar="FILE")
@changes
@json_flag
def command(file: str, settings: dict[str, str], variant: str | None, data: str | None, as_json: bool) -> None:
    """Show shapes, parameters, FLOPs, memory and every default.

    Data are read only where they decide the shape of a sample, as a table does. FLOPs are those of one sample's forward
    pass, a multiply-add counted as two. Memory is the least that training takes.
    """
    from spec_lang.request import Request
    from spec_lang.resolve import resolved

    request = Request(file, settings, variant, data)
    spec = request.check()
    if spec.input is None:
        from runtime.prepare import with_shapes

        spec, _ = with_shapes(request)
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
            memory_bytes=spec.memory_bytes(),
            spec=resolved(spec),
        )
    else:
        result(resolved(spec))
        result(_drawn(spec, layers))


def _drawn(spec: "Spec", layers: list[dict[str, Any]]) -> str:
    from spec_lang.ends import in_bytes

    rows = [("layer", "kind", "shape", "parameters", "FLOPs"), ("input", "", str(spec.input), "", "")]
    for node, layer in zip(spec.nodes, layers, strict=True):
        numbers = f"{layer['parameters']:,}", f"{layer['flops']:,}"
        rows.append((node.name, node.layer.word, str(node.output_shape), *numbers))
    flops = sum(layer["flops"] for layer in layers)
    rows.append(("all", "", "", f"{spec.parameter_count:,}", f"{flops:,}"))
    memory = f"training takes at least {in_bytes(spec.memory_bytes())} of memory, in float32, batch {spec.train.batch}"
    return table(rows, right=(3, 4)) + f"\n\n  {memory}"
