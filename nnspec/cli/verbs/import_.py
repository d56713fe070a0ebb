"""nnspec import: weights that Keras or PyTorch trained, in a network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_shape, format_table
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import print_json, print_note, print_result, print_warning, translate_write_errors

if TYPE_CHECKING:
    from nnspec.exchange.weights.importing import Imported, Step


@click.command(
    cls=Verb,
    section=Section.EXCHANGE,
    keeps_results=True,
    examples=(
        "nnspec import model.safetensors --into net.nnspec --out net.h5",
        "nnspec import model.weights.h5 --into net.nnspec --fit",
        "nnspec import arrays.npz --into net.nnspec --layout torch",
    ),
)
@click.argument("weights", metavar="WEIGHTS", type=click.Path(path_type=Path))
@click.option("--into", "file", required=True, metavar="SPEC", help="The network: a spec, or the text of one.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="CHECKPOINT",
    help="The file to write.  [default: NAME.h5 of the spec, in the current folder]",
)
@click.option(
    "--layout",
    type=click.Choice(("torch", "keras", "nnspec")),
    help="Whose shapes and orders the arrays have.  [default: as the file says]",
)
@click.option(
    "--match",
    type=click.Choice(("name", "order")),
    help="How to find the layer for each array.  [default: by name where every layer has one there, else by order]",
)
@click.option(
    "--fit",
    is_flag=True,
    help="Fit normalization and the names of classes to the data of the spec; else raw samples go in as they are.",
)
@spec_options
@json_flag
def command(
    weights: Path,
    file: str,
    out: Path | None,
    layout: str | None,
    match: str | None,
    fit: bool,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    as_json: bool,
) -> None:
    """Take weights that Keras or PyTorch trained into a network of the same shape.

    WEIGHTS is a .safetensors, .npz, .h5, .keras, .pt or .pth file. Every array is listed with what became of it: which
    layer it is, and how it was transposed or reordered. Each array of the network is filled exactly once, and none of
    the file is left over. Nothing is unpickled; PyTorch itself reads .pt files, and tensors alone.

    The checkpoint is a network without a run: predict, eval, occlude and export take it.
    """
    from nnspec.cli.specs import spec_named
    from nnspec.exchange.weights.importing import import_weights
    from nnspec.spec_lang.check.spec_request import Request

    imported = import_weights(Request(spec_named(file), settings, variant, data), weights, layout, match, fit)
    path = out or Path(f"{imported.network.spec.name}.h5")
    with translate_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    imported.network.save(path)
    for warning in imported.warnings:
        print_warning(warning)
    if as_json:
        _print_json(imported, path)
        return
    for note in imported.notes:
        print_note(note)
    print_result(_table(imported))
    print_result(f"wrote {path}: {imported.network.spec.parameter_count:,} parameters")


def _table(imported: "Imported") -> str:
    """Return a row for each array: theirs and its shape, ours and its shape, how it came."""
    rows = [("there", "shape", "here", "shape", "how")]
    rows += [
        (" + ".join(step.theirs) or "-", _shapes(step), step.ours, format_shape(step.shape), step.how)
        for step in imported.steps
    ]
    return format_table(rows, indent="")


def _shapes(step: "Step") -> str:
    return " + ".join(dict.fromkeys(map(format_shape, step.their_shapes))) or "-"


def _print_json(imported: "Imported", path: Path) -> None:
    arrays = [
        {
            "theirs": list(step.theirs),
            "their_shapes": [list(shape) for shape in step.their_shapes],
            "ours": step.ours,
            "shape": list(step.shape),
            "how": step.how,
        }
        for step in imported.steps
    ]
    notes, warnings = list(imported.notes), list(imported.warnings)
    print_json(out=str(path), layout=imported.layout, arrays=arrays, notes=notes, warnings=warnings)
