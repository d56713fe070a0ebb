"""nnspec plot graph: draw the layers and their connections."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import json_flag, spec_options
from nnspec.cli.output import print_json
from nnspec.cli.pictures import out_option, save_picture, style_option


@click.command(
    cls=Verb,
    short_help="Draw the network of a spec or a checkpoint.",
    examples=(
        "nnspec plot graph specs/mnist_resnet.nnspec",
        "nnspec plot graph 'conv 3x3 x8 -> (skip + conv 3x3 x8 pad=same) -> dense 10 softmax' --data mnist",
        "nnspec plot graph runs/quickstart --out network.svg",
    ),
)
@click.argument("file", metavar="FILE_OR_CHECKPOINT")
@spec_options
@out_option
@style_option
@json_flag
def command(
    file: str,
    settings: dict[str, str],
    variant: str | None,
    data: str | None,
    out: Path | None,
    style: str,
    as_json: bool,
) -> None:
    """Draw the network of a spec or a checkpoint: layers, branches, blocks and repeats, with the shapes between them.

    The picture of a spec is written to NAME-graph.png in the current folder. Data are read only if they determine the
    shape of a sample.
    """
    from nnspec.cli.checkpoint import is_checkpoint, open_checkpoint, pictures_folder
    from nnspec.runtime.train.spec_and_data import check_with_shapes
    from nnspec.runtime.views import PICTURES, in_style
    from nnspec.spec_lang.check.spec_request import Request

    if is_checkpoint(file):
        if settings or variant or data:
            raise click.UsageError(
                "--set, --variant and --data change specs; the spec of a checkpoint cannot be changed"
            )
        checkpoint, saved = open_checkpoint(file)
        spec, place = saved.network.spec, pictures_folder(checkpoint) / "graph.png"
    else:
        spec, _ = check_with_shapes(Request(file, settings, variant, data))
        place = Path(f"{spec.title}-graph.png")
    with in_style(style):
        written = save_picture(PICTURES["graph"](spec), out or place, as_json)
    if as_json:
        print_json(pictures=[written])
