"""nnspec trace: one forward and one backward pass of a sample in numbers."""

from pathlib import Path

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.options import data_options, json_flag
from nnspec.cli.output import print_json, print_result, translate_write_errors


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    short_help="Show a forward and a backward pass of one sample in numbers.",
    examples=(
        "nnspec trace runs/quickstart 0",
        "nnspec trace runs/quickstart 7 --layer dense1",
        "nnspec trace runs/quickstart seven.png --label 7 --out seven.html",
        "nnspec trace 'input 2 -> dense 3 relu -> dense 2 softmax' 0.5,1 --label 1",
        "nnspec trace runs/iris 3 --split train --json",
    ),
)
@click.argument("given", metavar="RUN_OR_SPEC")
@click.argument("sample", metavar="SAMPLE")
@data_options
@click.option(
    "--label", metavar="TARGET", help="The target of a sample that is given: a class by its name, or numbers."
)
@click.option("--layer", "layers", metavar="NAME", multiple=True, help="Show all numbers of this layer. Repeatable.")
@click.option("--invert", is_flag=True, help="Swap light and dark in a picture, as MNIST needs for dark ink.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html", help="Write a page instead."
)
@json_flag
def command(
    given: str,
    sample: str,
    data: str | None,
    split: str | None,
    label: str | None,
    layers: tuple[str, ...],
    invert: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show what a network computes for one sample, layer by layer, and how the loss depends on each number.

    A spec has its initial weights. SAMPLE is a whole number, which counts the samples of the test split (or of --data
    and --split) from 0; a file; or the numbers of one sample, such as 0.5,1 (with -- before it if the first is
    negative). --label says what a file or a typed sample is; without it there is no loss and no backward pass. The
    pass is that of inference: dropout does nothing, batchnorm uses its running statistics.

    Of up to twelve numbers all are printed, of more their size, range and mean; --layer prints every number of a layer,
    with its parameters and their gradients. --json has every output and its gradient, and the parameters of the layers
    of --layer. --out writes a page with pictures of both passes; it needs Jinja2: pip install 'nnspec[report]'.
    """
    from nnspec.cli.traced import as_text, stage_as_json, traced

    asked = traced(given, sample, data, split, label, invert)
    found = asked.trace
    unknown = [name for name in layers if name not in {stage.name for stage in found.stages}]
    if unknown:
        names = ", ".join(stage.name for stage in found.stages)
        raise click.UsageError(f"no layer is called {unknown[0]}: there is {names}")
    if out is not None:
        from nnspec.reporting.trace import write_trace

        with translate_write_errors(out):
            write_trace(asked.network, found, asked.title, asked.truth, out)
        print_json(file=str(out)) if as_json else print_result(str(out))
    elif as_json:
        stages = [stage_as_json(stage, stage.name in layers) for stage in found.stages]
        print_json(checkpoint=asked.file, sample=asked.label, target=asked.truth, loss=found.loss, layers=stages)
    else:
        print_result(as_text(found, asked.title, asked.truth, layers))
